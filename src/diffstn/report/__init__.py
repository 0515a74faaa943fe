"""What runs left in their folders, as a page to open and as tables: no torch, no network."""

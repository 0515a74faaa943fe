"""From items to a number that is high for real ones."""

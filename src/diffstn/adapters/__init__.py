"""Doors to other libraries' models: one file for each library, which is imported only there."""

"""A package that plugs into diffstn at every place."""

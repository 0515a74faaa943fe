"""Everything that draws: plain tensors and paths in, a file out, its path returned."""

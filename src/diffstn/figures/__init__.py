"""Everything that plots: plain tensors and paths in, a file out, its path returned."""

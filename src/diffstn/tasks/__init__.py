"""What models are for: an object per purpose, with its settings, numbers and figures."""

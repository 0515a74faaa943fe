"""What models are for: one object per purpose, with its settings, numbers, figures and callbacks."""

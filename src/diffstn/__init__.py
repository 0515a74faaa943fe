"""diffstn: train, sample and evaluate diffusion models and spatial transformers."""

__version__ = "0.1.0"

"""Guidance: takes a denoiser, is a denoiser."""

from diffstn.diffusion.guidance.classifier_free import ClassifierFree

__all__ = ["ClassifierFree"]

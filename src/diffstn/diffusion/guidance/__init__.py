"""Guidance: takes a denoiser, is a denoiser."""

from diffstn.diffusion.guidance.by_classifier import ByClassifier
from diffstn.diffusion.guidance.classifier_free import ClassifierFree

__all__ = ["ByClassifier", "ClassifierFree"]

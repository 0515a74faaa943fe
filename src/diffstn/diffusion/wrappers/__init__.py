"""Guidance: takes a denoiser, is a denoiser."""

from diffstn.diffusion.wrappers.by_classifier import ByClassifier
from diffstn.diffusion.wrappers.classifier_free import ClassifierFree

__all__ = ["ByClassifier", "ClassifierFree"]

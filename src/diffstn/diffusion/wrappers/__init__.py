"""Wrappers: take a denoiser, are a denoiser, and nest."""

from diffstn.diffusion.wrappers.auto_guided import AutoGuided
from diffstn.diffusion.wrappers.by_classifier import ByClassifier
from diffstn.diffusion.wrappers.classifier_free import ClassifierFree
from diffstn.diffusion.wrappers.clipped import Clipped
from diffstn.diffusion.wrappers.of_kind import OfKind
from diffstn.diffusion.wrappers.within import Within
from diffstn.diffusion.wrappers.wrapper import Wrapper

__all__ = ["AutoGuided", "ByClassifier", "ClassifierFree", "Clipped", "OfKind", "Within", "Wrapper"]

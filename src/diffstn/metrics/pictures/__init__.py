"""Metrics of generated pictures, in the features of a network that knows pictures."""

from diffstn.metrics.pictures.classifier_features import ClassifierFeatures
from diffstn.metrics.pictures.features import Features, Seen
from diffstn.metrics.pictures.frechet import FrechetDistance, frechet_distance
from diffstn.metrics.pictures.inception_features import InceptionFeatures
from diffstn.metrics.pictures.inception_score import inception_score
from diffstn.metrics.pictures.kernel import kernel_distance
from diffstn.metrics.pictures.moments import Moments
from diffstn.metrics.pictures.precision_recall import precision_recall

__all__ = [
    "ClassifierFeatures",
    "Features",
    "FrechetDistance",
    "InceptionFeatures",
    "Moments",
    "Seen",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "precision_recall",
]

"""Metrics of generated images, in the features of a network that knows images."""

from diffstn.metrics.images.classifier_features import ClassifierFeatures
from diffstn.metrics.images.features import Features, Seen, check_images
from diffstn.metrics.images.frechet import frechet_distance
from diffstn.metrics.images.inception_features import InceptionFeatures
from diffstn.metrics.images.inception_score import inception_score
from diffstn.metrics.images.kernel import kernel_distance
from diffstn.metrics.images.moments import Moments
from diffstn.metrics.images.precision_recall import precision_recall
from diffstn.metrics.images.real_statistics import RealStatistics, real_statistics

__all__ = [
    "ClassifierFeatures",
    "Features",
    "InceptionFeatures",
    "Moments",
    "RealStatistics",
    "Seen",
    "check_images",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "precision_recall",
    "real_statistics",
]

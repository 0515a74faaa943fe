"""Metrics of generated images, in the features of a network that knows images."""

from diffstn.metrics.images.classification_score import classification_score
from diffstn.metrics.images.classifier_features import ClassifierFeatures
from diffstn.metrics.images.features import Features, Seen, check_images
from diffstn.metrics.images.frechet import frechet_distance
from diffstn.metrics.images.inception_features import InceptionFeatures
from diffstn.metrics.images.inception_score import inception_score
from diffstn.metrics.images.kernel import kernel_distance
from diffstn.metrics.images.moments import Moments
from diffstn.metrics.images.neighbourhood import neighbourhood_purity
from diffstn.metrics.images.precision_recall import precision_recall
from diffstn.metrics.images.real_statistics import RealStatistics, real_statistics
from diffstn.metrics.images.t_sne import t_sne

__all__ = [
    "ClassifierFeatures",
    "Features",
    "InceptionFeatures",
    "Moments",
    "RealStatistics",
    "Seen",
    "check_images",
    "classification_score",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "neighbourhood_purity",
    "precision_recall",
    "real_statistics",
    "t_sne",
]

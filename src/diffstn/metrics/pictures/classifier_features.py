"""The penultimate layer of one of our own classifiers."""

import torch
from torch import Tensor

from diffstn.metrics.pictures.features import Seen, check_pictures
from diffstn.networks.classifier import Classifier


class ClassifierFeatures:
    """Features of a trained `Classifier`, in float32.

    Args:
        network: in evaluation mode.
        name: for protocols.
        channels: of the pictures that it reads.
        digest: of its weights, see `Features`.
    """

    def __init__(self, network: Classifier, name: str, channels: int, digest: str) -> None:
        self.network, self.name, self.channels = network.eval().float(), name, channels
        self.size = network.head.in_features
        self.digest = digest

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Seen:
        check_pictures(pictures, self.channels)
        with torch.autocast(pictures.device.type, enabled=False):
            features = self.network.to(pictures.device).features(pictures.float())
            return Seen(features, self.network.head(features))

"""The penultimate layer of one of our own classifiers."""

from collections.abc import Sequence

import torch
from torch import Tensor

from diffstn.metrics.images.features import Seen, check_images
from diffstn.networks.classifiers.classifier import Classifier


class ClassifierFeatures:
    """Features of a trained `Classifier`, in float32.

    Args:
        network: in evaluation mode.
        name: for protocols.
        channels: of the images that it reads.
        digest: of its weights, see `Features`.
        classes: names of those that it tells apart.
    """

    def __init__(
        self,
        network: Classifier,
        name: str,
        channels: int,
        digest: str,
        classes: Sequence[str] = (),
    ) -> None:
        self.network, self.name, self.channels = network.eval().float(), name, channels
        self.size = network.head.in_features
        self.digest = digest
        self.classes = tuple(classes)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Seen:
        check_images(images, self.channels)
        with torch.autocast(images.device.type, enabled=False):
            features = self.network.to(images.device).features(images.float())
            return Seen(features, self.network.head(features))

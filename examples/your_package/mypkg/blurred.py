"""Features for a Fréchet distance: images seen from afar."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.metrics.images import Seen, check_images


@dataclass(frozen=True)
class Blurred:
    """Grey images averaged down to side × side pixels, which are the features."""

    side: int = 4

    name = "blurred"
    classes = ()

    @property
    def size(self) -> int:
        return self.side**2

    @property
    def digest(self) -> str:
        return str(self.side)

    def __call__(self, images: Tensor) -> Seen:
        check_images(images, channels=1)
        with torch.autocast(images.device.type, enabled=False):
            features = F.adaptive_avg_pool2d(images.float(), self.side).flatten(1)
        return Seen(features, logits=features.new_zeros(len(features), 1))

"""Any encoder, shown edges instead of the image."""

import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor, nn

from diffstn.errors import UserError


class CannyEncoder(nn.Module):
    """Canny edges of the image (channel mean), then `encoder`.

    Needs OpenCV (`pip install 'diffstn[canny]'`) and runs the detector on the CPU, image by
    image. Shapes and `features` are the wrapped encoder's.

    Args:
        encoder: makes one of images with the same number of channels.
        channels, size: of the image, see the other encoders.
        low, high: hysteresis thresholds on 0…255.
    """

    def __init__(
        self,
        encoder: Callable[..., nn.Module],
        channels: int,
        size: tuple[int, int],
        low: float = 100.0,
        high: float = 200.0,
    ) -> None:
        super().__init__()
        if importlib.util.find_spec("cv2") is None:
            raise UserError("encoder=canny needs OpenCV: pip install 'diffstn[canny]'")
        self.encoder = encoder(channels=channels, size=size)
        self.features = int(self.encoder.features)  # type: ignore[arg-type]
        self.low, self.high = low, high

    def edges(self, image: Tensor) -> Tensor:
        """(B, C, H, W) in [0, 1] → (B, C, H, W), 1 on edges and 0 elsewhere."""
        import cv2

        grey = (image.detach().float().mean(dim=1) * 255).clamp(0, 255).byte().cpu().numpy()
        found = [torch.from_numpy(cv2.Canny(image, self.low, self.high)) for image in grey]
        edges = torch.stack(found).to(image.device, image.dtype) / 255
        return edges[:, None].expand_as(image)

    def forward(self, image: Tensor) -> Tensor:
        return self.encoder(self.edges(image))

"""Any encoder, looking at an image through its frame."""

from collections.abc import Callable

from torch import Tensor, nn

from diffstn.spatial import turned, warp


class FramedEncoder(nn.Module):
    """Warp the image into its frame, then encode it.

    Args:
        encoder: of images of `size`, with `.features`.
        frame: images (B, C, H, W) → affine maps (B, 6), such as `diffstn.spatial.moment_frame`.
        size: (height, width) of what the encoder sees.
        padding: what it sees beyond the image's edges, see `diffstn.spatial.warp_points`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        frame: Callable[[Tensor], Tensor],
        size: tuple[int, int],
        padding: str = "zeros",
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.features = int(encoder.features)  # type: ignore[arg-type]
        self.frame = frame
        self.size, self.padding = size, padding

    def forward(
        self, image: Tensor, turn: Tensor | None = None, size: Tensor | float = 1.0
    ) -> Tensor:
        """The embedding (B, features) of images (B, C, H, W) in their frames, see `turned`."""
        C = turned(self.frame, image, turn, size)
        return self.encoder(warp(image, C, size=self.size, padding=self.padding))

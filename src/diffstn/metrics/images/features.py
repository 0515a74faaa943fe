"""What metrics of images look through."""

from typing import NamedTuple, Protocol

from torch import Tensor


class Seen(NamedTuple):
    """What a network makes of B images."""

    features: Tensor
    """(B, D)."""
    logits: Tensor
    """(B, classes), of the classes that the network knows; (B, 1) of one that knows none."""


class Features(Protocol):
    """A network, as metrics see it. It computes in float32 whatever precision is around it."""

    name: str
    """For protocols."""
    size: int
    """D."""
    classes: tuple[str, ...]
    """Names of the classes that it tells apart, as far as they are ours."""
    digest: str
    """Changes whenever the features would: what was computed with them is kept under it."""

    def __call__(self, images: Tensor) -> Seen:
        """Images (B, C, H, W) in [0, 1].

        Raises:
            ValueError: images of a shape that the network does not read, or beyond [0, 1].
        """
        ...


def check_images(images: Tensor, channels: int) -> None:
    """Refuse what is no batch of images in [0, 1] with so many channels.

    Raises:
        ValueError: one line.
    """
    if images.ndim != 4 or images.shape[1] != channels or not images.is_floating_point():
        raise ValueError(
            f"expected float images (B, {channels}, H, W), got {images.dtype} {tuple(images.shape)}"
        )
    low, high = images.aminmax()
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(f"images must lie in [0, 1]; these reach from {low:.3g} to {high:.3g}")

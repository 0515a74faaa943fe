"""What metrics of pictures look through."""

from typing import NamedTuple, Protocol

from torch import Tensor


class Seen(NamedTuple):
    """What a network makes of B pictures."""

    features: Tensor
    """(B, D)."""
    logits: Tensor
    """(B, classes), of the classes that the network knows."""


class Features(Protocol):
    """A network, as metrics see it. It computes in float32 whatever precision is around it."""

    name: str
    """For protocols."""
    size: int
    """D."""
    digest: str
    """Changes whenever the features would: what was computed with them is kept under it."""

    def __call__(self, pictures: Tensor) -> Seen:
        """Pictures (B, C, H, W) in [0, 1].

        Raises:
            ValueError: pictures of a shape that the network does not read, or beyond [0, 1].
        """
        ...


def check_pictures(pictures: Tensor, channels: int) -> None:
    """Refuse what is no batch of pictures in [0, 1] with so many channels.

    Raises:
        ValueError: one line.
    """
    if pictures.ndim != 4 or pictures.shape[1] != channels or not pictures.is_floating_point():
        raise ValueError(
            f"expected float pictures (B, {channels}, H, W), got {pictures.dtype}"
            f" {tuple(pictures.shape)}"
        )
    low, high = pictures.aminmax()
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(f"pictures must lie in [0, 1]; these reach from {low:.3g} to {high:.3g}")

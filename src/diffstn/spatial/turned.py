"""A frame, turned about its centre."""

from collections.abc import Callable

from torch import Tensor

from diffstn.spatial.affine import affine_matrix, as_matrix, compose


def turned(frame: Callable[[Tensor], Tensor], image: Tensor, turn: Tensor | None = None) -> Tensor:
    """C ∘ R(turn), with C the frames of images (B, C, H, W) and turn (B,) in radians: (B, 6).

    The content seen through it appears turned by −turn. None is no turn.
    """
    C = frame(image)
    if turn is None:
        return C
    return compose(as_matrix(C), affine_matrix(turn.to(C))).flatten(1)

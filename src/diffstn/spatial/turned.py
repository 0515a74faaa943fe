"""A frame, turned about its centre and of another size."""

from collections.abc import Callable

from torch import Tensor

from diffstn.spatial.affine import affine_matrix, as_matrix, compose


def turned(
    frame: Callable[[Tensor], Tensor],
    image: Tensor,
    turn: Tensor | None = None,
    size: Tensor | float = 1.0,
) -> Tensor:
    """C ∘ size · R(turn), with C the frames of images (B, C, H, W): (B, 6).

    The content seen through it appears turned by −turn, and 1 / size as large.

    Args:
        frame: image → C.
        image: (B, C, H, W).
        turn: (B,) in radians; None: C as it is.
        size: (B,) or a number, of a frame that is turned.
    """
    C = frame(image)
    if turn is None:
        return C
    return compose(as_matrix(C), affine_matrix(turn.to(C), size, size)).flatten(1)

"""The frame that is the image itself."""

from torch import Tensor


def canvas_frame(images: Tensor) -> Tensor:
    """The identity (B, 6) for images (B, C, H, W).

    A model sees through it what it sees without a frame, but a frame can be turned: where any
    rotation is as likely as any other, photographs, too, can be looked at from several sides.
    """
    identity = images.new_tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).float()
    return identity.expand(images.shape[0], 6)

"""Images as users hold them, as the images that models read."""

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffstn.data.disc import in_disc
from diffstn.data.facts import Facts
from diffstn.models.close_up import covering, fitted
from diffstn.models.ink import ink_of
from diffstn.models.placement import Placement

LEAST_SIDE = 8
"""Pixels of a side from which there is something to read, where the model's own canvas has more."""


class Given:
    """A user's images as (B, C, H, W) float32 in [0, 1] on a model's device.

    Taken are tensors and NumPy arrays, uint8 from 0 to 255 or floats from 0 to 1, single, (H, W) or
    (C, H, W), or in a batch, (B, C, H, W); arrays also with channels last. Three dimensions are
    never a batch: three grey images would look like a colour one. Grey images are shown to colour
    models as grey, colour ones to grey models by their luminance. Images of another size are scaled
    until they fit into the model's and centred on black, which `placement` remembers. A model of
    photographs that knows nothing but their disc (`disc` of the facts) is shown the disc in the
    middle. `like` gives answers as tensors, bytes for bytes and one for one.

    `writing` means that the model knows light ink on black and looks at nothing else: grey images
    become that, see `Ink`, and `like` gives answers in the ink and on the paper of the user. Of
    another size than the model's they are looked at from nearer where they are small, see `fitted`.

    Args:
        images: the user's.
        facts: of the model's data.
        size: (H, W) that the model reads; None for any.
        device: of the model.
        writing: whether grey images hold writing, of any brightness.

    Raises:
        ValueError: no images or sides below `LEAST_SIDE`, values that are not finite or out of
            range, or a shape that cannot be read; the message says what to do.
    """

    def __init__(
        self,
        images: Any,
        facts: Facts,
        size: tuple[int, int] | None,
        device: torch.device | str = "cpu",
        writing: bool = False,
    ) -> None:
        self.is_array = not isinstance(images, Tensor)
        tensor = _tensor(images) if self.is_array else images.detach()
        self.is_bytes = tensor.dtype == torch.uint8
        self.device = tensor.device
        channels = facts.channels or 1
        batch, self.is_single = _batched(tensor, self.is_array)
        values = _in_range(batch)
        if values.shape[1] != channels:
            grey = values.new_tensor([0.299, 0.587, 0.114])[:, None, None]
            values = (
                values.expand(-1, channels, -1, -1)
                if values.shape[1] == 1
                else (values * grey).sum(1, keepdim=True)
            )
        own = values.shape[2], values.shape[3]
        if size is not None:
            check_size(own, size)
        self.ink = ink_of(values) if writing and channels == 1 else None
        if self.ink is not None:
            values = self.ink.as_light(values)
        self.placement = Placement(own, own, own)
        if size is not None and own != (size[0], size[1]):
            canvas = size[0], size[1]
            values, self.placement = (
                covering(values, canvas)
                if facts.disc
                else fitted(values, canvas, nearer=self.ink is not None)
            )
        if facts.disc:
            values = in_disc(values, facts.disc)
        bright = int(bright_borders(values).sum()) if channels == 1 else 0
        if bright:
            warnings.warn(
                f"{bright} of {len(values)} images have bright borders: these models know light"
                " content on black, so pass 1 - images if yours are dark on white",
                stacklevel=4,  # the caller of `correct` and its like
            )
        self.images = values.to(device)

    def like(self, answer: Tensor, pixels: bool = False) -> Tensor:
        """An answer (B, *) on the images' device, without its batch if there was none.

        Args:
            pixels: the answer is images in [0, 1]; bytes if bytes were given.
        """
        if pixels and self.ink is not None:
            answer = self.ink.as_given(answer.to(self.ink.span.device))
        answer = answer[0] if self.is_single else answer
        if pixels and self.is_bytes:
            answer = (answer.float().clamp(0, 1) * 255).round().to(torch.uint8)
        return answer.to(self.device)


def bright_borders(images: Tensor) -> Tensor:
    """Which of the images (B, C, H, W) seem to be dark on white, (B,)."""
    return images[..., [0, -1], :].mean((1, 2, 3)) > 0.5


def _tensor(images: Any) -> Tensor:
    """An array of any strides and byte order, or what NumPy takes for one."""
    array = np.asarray(images)
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool):
        raise ValueError(f"images are tensors or arrays of numbers, not {type(images).__name__}")
    return torch.as_tensor(np.ascontiguousarray(array, array.dtype.newbyteorder("=")))


def _batched(images: Tensor, is_array: bool) -> tuple[Tensor, bool]:
    """(B, C, H, W), and whether there was one image without a batch."""
    single = images.ndim < 4
    batch = images[None] if single else images
    if images.ndim == 2:
        return batch[None], True
    if batch.ndim == 4:
        if batch.shape[1] in (1, 3):
            return batch, single
        if is_array and batch.shape[3] in (1, 3):
            return batch.permute(0, 3, 1, 2), single
    shape = tuple(images.shape)
    if 4 in batch.shape[1::2]:
        hint = "leave out the fourth channel"
    elif not is_array and batch.shape[-1] in (1, 3):
        hint = "channels come first in tensors"
    else:
        hint = "a batch of grey images has one channel, images[:, None]"
    raise ValueError(
        f"images are (B, C, H, W), (C, H, W) or (H, W) with 1 or 3 channels, not {shape}: {hint}"
    )


def _in_range(images: Tensor) -> Tensor:
    """Floats in [0, 1]."""
    if not images.numel():
        raise ValueError(f"no images: the shape is {tuple(images.shape)}")
    if images.dtype == torch.uint8:
        return images.float() / 255
    if images.dtype == torch.bool:
        return images.float()
    if not images.is_floating_point():
        raise ValueError(f"images are uint8 or floats, not {images.dtype}: convert them first")
    values = images.float()
    finite = values.isfinite().flatten(1).all(dim=1)
    if not bool(finite.all()):
        raise ValueError(
            f"image {int(finite.long().argmin())} holds values that are not finite: replace or"
            " remove them"
        )
    low, high = (float(v) for v in values.aminmax())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(
            f"float images lie in [0, 1], these reach from {low:.3g} to {high:.3g}: divide by 255,"
            " or pass uint8"
        )
    return values.clamp(0, 1)


def check_size(given: tuple[int, int], canvas: tuple[int, int]) -> None:
    """ValueError if an image of so many pixels (H, W) has too few for a model of that canvas."""
    least = min(LEAST_SIDE, *canvas)
    if min(given) < least:
        raise ValueError(
            f"{given[0]} × {given[1]} pixels are too few to be read: give at least"
            f" {least} × {least}"
        )

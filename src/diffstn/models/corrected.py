"""What a corrector answers, with the way back to the images it was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from diffstn.models.ink import border
from diffstn.models.placement import Placement
from diffstn.spatial import Transformation, decompose, lattice, warp_points


class HumanPose(NamedTuple):
    """What had been done to the content, in units of people; of a single image without the B."""

    turn: Tensor
    """Degrees clockwise, (B,), in (−180, 180]."""
    scale: Tensor
    """Factors of its width and height, (B, 2); a negative height: it was mirrored."""
    shear: Tensor
    """Shift of x per unit of y, (B,)."""
    shift: Tensor
    """Of the middle, right and down, in pixels of the image that was given, (B, 2)."""


@dataclass(frozen=True)
class Corrected:
    """What `correct` answers; of a single image without the dimension B.

    Args:
        images: upright ones (B, C, h, w): bytes if bytes were given, otherwise floats in [0, 1].
        A: the poses (B, dim) that were undone: `warp(image, A)` corrects.
        probabilities: what the classifier reads, all hypotheses taken together, (B, classes).
        confidence: how probable the class is that it reads, (B,); see `PoseCorrector.confidence`.
        abstain: where that is too little to go by, (B,) bool.
        weight: the share of this pose among all hypotheses, (B,), see `Combination.shares`.
        transformation: of the poses.
        placement: of the given images on the canvas that the model reads.
        alternatives: the same for the other hypotheses, those with the most weight first; their
            probabilities are what the classifier reads in each alone.
    """

    images: Tensor
    A: Tensor
    probabilities: Tensor
    confidence: Tensor
    abstain: Tensor
    weight: Tensor
    transformation: Transformation
    placement: Placement
    alternatives: tuple[Corrected, ...] = ()

    @property
    def pose(self) -> HumanPose:
        r"""A in units of people.

        With c the middle of an upright image, in pixels, and P the map from its pixels to those of
        the given image, the derivative of P at c is R(φ) [[k_x, s k_y], [0, k_y]] / m, see
        `decompose`, with m the scale at which the given image just fits onto the canvas or, of
        photographs, covers it: what fills as much of its image as upright content does has k = 1.
        The shift is P(c) less the given image's middle. Of poses that are not affine this is the
        pose of the middle.
        """
        size = torch.tensor(self._size, device=self.A.device)
        middle = size.flip(0) / 2
        x, y = torch.eye(2, device=self.A.device)
        around = torch.stack([middle, middle + x, middle - x, middle + y, middle - y])
        at = self._on_canvas(around[None])
        given = self.placement.pixels(at)
        across, down = given[:, 1] - given[:, 2], given[:, 3] - given[:, 4]
        columns = [side / 2 * self.placement.scale for side in (across, down)]
        shift = given[:, 0] - torch.tensor(self.placement.given, device=at.device).flip(0) / 2
        parts = decompose(torch.stack([*columns, shift], dim=-1))
        scale = torch.stack([parts.scale_x, parts.scale_y], dim=-1)
        pose = HumanPose(parts.rotation.rad2deg(), scale, parts.shear, shift)
        return HumanPose(*(value[0] for value in pose)) if self._is_single else pose

    def invert(
        self,
        *,
        points: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        size: tuple[int, int] | None = None,
    ) -> Tensor:
        """Take what was found in the upright images back to the images that were given.

        Say in which: `size` (h, w) is that of the upright images, such as `upright` answers; None:
        that of `images`. One of the three, with B in front unless a single image was given:

        - points (B, N, 2), (x, y) in pixels from the upper left corner, so that the middle of the
          first pixel is at (0.5, 0.5) → points of the given images;
        - boxes (B, N, 4), (left, top, right, bottom) in such pixels → the smallest boxes around
          the four corners;
        - masks or heat maps (B, C, h, w) → (B, C, H, W), 0 where there is nothing upright; floats
          are interpolated, booleans and integers keep their values.

        Raises:
            ValueError: not one of the three, or of another shape.
        """
        h, w = size or self._size
        told = {"points": points, "boxes": boxes, "masks": masks}
        one = {name: value for name, value in told.items() if value is not None}
        if len(one) != 1:
            raise ValueError(f"invert takes one of {', '.join(told)}, not {len(one)}")
        ((name, value),) = one.items()
        tail = {"points": (None, 2), "boxes": (None, 4), "masks": (None, h, w)}[name]
        lead = () if self._is_single else (len(self.A),)
        fits = len(value.shape) == len(lead) + len(tail) and all(
            want in (None, got) for want, got in zip((*lead, *tail), value.shape, strict=True)
        )
        if not fits:
            shape = ", ".join("N" if want is None else str(want) for want in (*lead, *tail))
            raise ValueError(
                f"{name} must be ({shape}), not {tuple(value.shape)}; what was found in upright"
                " images of another size needs size=(h, w)"
            )
        value = (value[None] if self._is_single else value).to(self.A.device)
        if name != "masks":
            finer = value.new_tensor([w / self._size[1], h / self._size[0]], dtype=torch.float32)
            value = value / finer.repeat(value.shape[-1] // 2)
        found: Tensor = getattr(self, f"_{name}")(value)
        return found[0] if self._is_single else found

    def upright(
        self,
        images: Tensor,
        size: tuple[int, int] | None = None,
        kernel: str = "bilinear",
        fill: float | None = None,
    ) -> Tensor:
        """The given images themselves turned upright, in their own resolution and colours.

        Args:
            images: those that `correct` was given, or others of their size, such as masks:
                floats (B, C, H, W), of a single image (C, H, W).
            size: (h, w) of the answer; None: that of the model's upright images, in proportion to
                the size of those given.
            kernel: see `warp_points`.
            fill: what stands beyond the edges of an image; None: its paper, the median of its
                border in each channel.

        Raises:
            ValueError: images of another number or size.
        """
        if not isinstance(images, Tensor):
            raise ValueError(f"upright takes tensors, not {type(images).__name__}")
        batch = images[None] if self._is_single else images
        given = self.placement.given
        if batch.ndim != 4 or len(batch) != len(self._poses) or tuple(batch.shape[2:]) != given:
            raise ValueError(
                f"images must be {len(self._poses)} of {given[0]} × {given[1]} pixels, not"
                f" {tuple(images.shape)}"
            )
        scale = self.placement.scale
        size = size or (round(self._size[0] / scale), round(self._size[1] / scale))
        poses = self._poses.to(images.device)
        at = self.placement.points(self.transformation.grid(poses, size))
        paper: Tensor | float = fill or 0.0
        if fill is None:
            paper = border(batch.detach()).median(dim=2).values[..., None, None]
        found = warp_points(batch - paper, at, kernel) + paper
        return found[0] if self._is_single else found

    @property
    def _is_single(self) -> bool:
        return self.A.ndim == 1

    @property
    def _size(self) -> tuple[int, int]:
        return self.images.shape[-2], self.images.shape[-1]

    @property
    def _poses(self) -> Tensor:
        return (self.A[None] if self._is_single else self.A).float()

    def _on_canvas(self, xy: Tensor) -> Tensor:
        """Pixels of upright images (B or 1, N, 2) → normalised points of the canvas (B, N, 2)."""
        size = torch.tensor(self._size, device=xy.device).flip(0)
        return self.transformation.points(self._poses, 2 * xy.float() / size - 1)

    def _points(self, xy: Tensor) -> Tensor:
        return self.placement.pixels(self._on_canvas(xy))

    def _boxes(self, boxes: Tensor) -> Tensor:
        corners = boxes[..., [0, 1, 2, 1, 2, 3, 0, 3]].unflatten(-1, (4, 2))
        found = self._points(corners.flatten(1, 2)).unflatten(1, (-1, 4))
        return torch.cat([found.amin(dim=2), found.amax(dim=2)], dim=-1)

    def _masks(self, masks: Tensor) -> Tensor:
        given = self.placement.given
        there = self.placement.normalised(lattice(*given, masks.device)[None])
        upright = self.transformation.preimages(self._poses, there.expand(len(masks), -1, -1))
        kernel = "bilinear" if masks.is_floating_point() else "nearest"
        values = masks if masks.is_floating_point() else masks.float()
        return warp_points(values, upright.unflatten(1, given), kernel).to(masks.dtype)

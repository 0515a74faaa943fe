"""Single points of plane shapes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from diffstn.data.batches import SampleBatch
from diffstn.data.facts import Facts
from diffstn.data.labelled import Labelled
from diffstn.data.modules.drawn import DrawnData
from diffstn.data.modules.shapes import MIXTURES, SHAPES, Gaussians, shape
from diffstn.errors import UserError

ALL = "all"


class ShapePoints(DrawnData):
    """Batches of points drawn from one shape, or from every shape with its name as the label.

    Args:
        shape: one of `SHAPES` or of `MIXTURES`, or "all", which is all of the first.
        thickness: standard deviation of the points around the lines.
        train, val, test: how many points of each split; one epoch sees `train` of them.
        options: as for `DrawnData`.

    Raises:
        UserError: no such shape, or a number that is not positive.
    """

    kind = "points"
    dim = 2

    def __init__(
        self,
        shape: str = "dinohead",
        thickness: float = 0.0,
        train: int = 512_000,
        val: int = 10_000,
        test: int = 10_000,
        **options: Any,
    ) -> None:
        super().__init__(train=train, val=val, test=test, **options)
        known = (*SHAPES, *MIXTURES)
        if shape not in (*known, ALL):
            raise UserError(f"data.shape={shape}: choose {', '.join(known)} or {ALL}")
        if thickness < 0:
            raise UserError(f"data.thickness is {thickness}: it must be at least 0")
        self.classes = list(SHAPES) if shape == ALL else [shape]
        self.thickness = thickness

    @property
    def facts(self) -> Facts:
        return Facts(kind=self.kind, classes=tuple(self.classes), dim=self.dim)

    def draw(self, n: int, generator: torch.Generator, label: int | None = None) -> Labelled:
        """n independent points, of the class `label` or of all, each as likely."""
        count = len(self.classes)
        labels = (
            torch.randint(count, (n,), generator=generator)
            if label is None
            else torch.full((n,), label)
        )
        points = torch.empty(n, self.dim)
        for index, name in enumerate(self.classes):
            mine = (labels == index).nonzero()[:, 0]
            if len(mine):
                points[mine] = shape(name, self.thickness).draw(len(mine), generator)
        return Labelled(points, labels)

    def modes(self, label: int | None = None) -> Gaussians | None:
        """The mixture that points of the class `label` are drawn from, if they are from one."""
        name = self.classes[label or 0]
        made = shape(name, self.thickness)
        return made if isinstance(made, Gaussians) else None

    def fresh(self, n: int, generator: torch.Generator) -> Labelled:
        return self.draw(n, generator)

    def batch(self, split: str, indices: Tensor, device: torch.device | str = "cpu") -> SampleBatch:
        """The points of `split` at `indices` (B,)."""
        return SampleBatch(*self.split(split, device).at(indices.to(device)))

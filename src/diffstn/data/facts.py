"""What a model must know of its data to be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from diffstn.spatial import TRANSFORMATIONS, Transformation, family_of


@dataclass(frozen=True)
class Facts:
    """Known before anything is read, and kept with a run, so that its model needs no data.

    What a kind of data does not have stays None.
    """

    kind: str
    """What the batches hold, see `diffstn.data.kinds`."""

    classes: tuple[str, ...] = ()
    """Names, in the order of the labels."""

    channels: int | None = None
    """C of images."""

    size: tuple[int, int] | None = None
    """(h, w) of upright images."""

    canvas: tuple[int, int] | None = None
    """(H, W) of the images in a batch: `size`, unless a distortion has a canvas of its own."""

    dim: int | None = None
    """Coordinates of a point."""

    points: int | None = None
    """Points of a cloud."""

    transformation: Transformation | None = None
    """The family of poses that undoes the distortion."""

    any_rotation: bool = False
    """Whether poses are distributed alike after any rotation."""

    def plain(self) -> dict[str, Any]:
        """Plain containers, for a file; what is None or False is left out."""
        own = {**asdict(self), "transformation": self.transformation}
        plain = {name: value for name, value in own.items() if value}
        if self.transformation is not None:
            plain["transformation"] = family_of(self.transformation)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Facts:
        """The facts that `plain` was made of."""
        own: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
        if family := own.get("transformation"):
            settings = dict(family)
            own["transformation"] = TRANSFORMATIONS[settings.pop("family")](**settings)
        return cls(**own)

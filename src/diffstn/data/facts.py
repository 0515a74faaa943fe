"""What a model must know of its data to be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, get_type_hints

from diffstn.annotations import AtLeast, AtMost, fits
from diffstn.data.disc import Disc
from diffstn.spatial import TRANSFORMATIONS, Transformation, family_of

Side = Annotated[int, AtLeast(1), AtMost(2**14)]
"""Of an image, in pixels."""
Few = Annotated[int, AtLeast(1), AtMost(2**24)]


@dataclass(frozen=True)
class Facts:
    """Known before anything is read, and kept with a run, so that its model needs no data.

    What a kind of data does not have stays None.
    """

    kind: str
    """What the batches hold, see `diffstn.data.kinds`."""

    classes: tuple[str, ...] = ()
    """Names, in the order of the labels."""

    channels: Side | None = None
    """C of images."""

    size: tuple[Side, Side] | None = None
    """(h, w) of upright images."""

    canvas: tuple[Side, Side] | None = None
    """(H, W) of the images in a batch: `size`, unless a distortion has a canvas of its own."""

    dim: Side | None = None
    """Coordinates of a point."""

    points: Few | None = None
    """Points of a cloud."""

    transformation: Transformation | None = None
    """The family of poses that undoes the distortion."""

    any_rotation: bool = False
    """Whether poses are distributed alike after any rotation."""

    rotations: Few | None = None
    """n if they are after any multiple of 360° / n, and not after any rotation."""

    disc: Disc | None = None
    """What images show outside of the disc that fits into them, see `in_disc`; None: themselves."""

    def plain(self) -> dict[str, Any]:
        """Plain containers, for a file; what is None or False is left out."""
        own = {**asdict(self), "transformation": self.transformation}
        plain = {name: value for name, value in own.items() if value}
        if self.transformation is not None:
            plain["transformation"] = family_of(self.transformation)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Facts:
        """The facts that `plain` was made of.

        Raises:
            LookupError, TypeError, ValueError: it was made of none.
        """
        kinds = get_type_hints(cls, include_extras=True)
        for name, value in plain.items():
            if name != "transformation" and not fits(value, kinds[name]):
                raise ValueError(f"{name} cannot be {value}")
        own: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
        if family := own.get("transformation"):
            settings = dict(family)
            own["transformation"] = TRANSFORMATIONS[settings.pop("family")](**settings)
        return cls(**own)

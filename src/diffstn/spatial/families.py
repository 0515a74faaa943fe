"""Families of transformations and frames by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from diffstn.spatial.affine import Affine
from diffstn.spatial.canvas import canvas_frame
from diffstn.spatial.moments import moment_frame
from diffstn.spatial.projective import Projective
from diffstn.spatial.thin_plate_spline import ThinPlateSpline
from diffstn.spatial.transformation import Transformation

TRANSFORMATIONS: dict[str, Callable[..., Transformation]] = {
    "affine": Affine,
    "projective": Projective,
    "tps": ThinPlateSpline,
}

Frame = Callable[[Tensor], Tensor]
"""Images (B, C, H, W) → affine maps (B, 6) into them, through which encoders look."""

FRAMES: dict[str, Frame | None] = {
    "none": None,
    "moments": moment_frame,
    "canvas": canvas_frame,
}


def named_frame(name: str) -> Frame | None:
    """The frame of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in FRAMES:
        raise ValueError(f"frame={name}: choose {', '.join(FRAMES)}")
    return FRAMES[name]


def named_family(name: str) -> Transformation:
    """A transformation of the family of that name, with its defaults.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in TRANSFORMATIONS:
        raise ValueError(f"transformation={name}: choose {', '.join(TRANSFORMATIONS)}")
    return TRANSFORMATIONS[name]()


def family_of(transformation: Transformation) -> dict[str, Any]:
    """The name of a transformation's family and what else it takes to make it again.

    Raises:
        ValueError: it is of none of the families that have a name.
    """
    for name, family in TRANSFORMATIONS.items():
        if type(transformation) is family:
            return {"family": name, **transformation.settings}
    raise ValueError(f"{type(transformation).__name__} is no family with a name")

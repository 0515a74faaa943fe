"""Transformations of the plane, and the one function that warps images with them.

Torch alone. Points are (x, y) in normalised coordinates, [-1, 1] from edge to edge
(`align_corners=False`); a transformation maps *output* points to *input* points.
"""

from diffstn.spatial.affine import (
    Affine,
    AffineParts,
    affine_matrix,
    as_matrix,
    compose,
    decompose,
    invert,
)
from diffstn.spatial.corners import corner_distance, corner_offsets
from diffstn.spatial.families import (
    FRAMES,
    TRANSFORMATIONS,
    Frame,
    family_of,
    named_family,
    named_frame,
)
from diffstn.spatial.geodesic import (
    exponential,
    geodesic,
    has_logarithm,
    logarithm,
    velocity,
)
from diffstn.spatial.inverse import Inverse
from diffstn.spatial.lattice import lattice, pixel_centres
from diffstn.spatial.moments import moment_frame
from diffstn.spatial.projective import Projective
from diffstn.spatial.thin_plate_spline import ThinPlateSpline
from diffstn.spatial.transformation import Transformation
from diffstn.spatial.turned import turned
from diffstn.spatial.warp import KERNELS, PADDINGS, grid, warp, warp_points

__all__ = [
    "FRAMES",
    "KERNELS",
    "PADDINGS",
    "TRANSFORMATIONS",
    "Affine",
    "AffineParts",
    "Frame",
    "Inverse",
    "Projective",
    "ThinPlateSpline",
    "Transformation",
    "affine_matrix",
    "as_matrix",
    "compose",
    "corner_distance",
    "corner_offsets",
    "decompose",
    "exponential",
    "family_of",
    "geodesic",
    "grid",
    "has_logarithm",
    "invert",
    "lattice",
    "logarithm",
    "moment_frame",
    "named_family",
    "named_frame",
    "pixel_centres",
    "turned",
    "velocity",
    "warp",
    "warp_points",
]

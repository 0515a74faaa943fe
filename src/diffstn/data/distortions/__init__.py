"""Random distortions: each draws the parameters of a spatial transformation, a batch at a time."""

from diffstn.data.distortions.affine import AffineDistortion
from diffstn.data.distortions.discrete_rotation import DiscreteRotation
from diffstn.data.distortions.distortion import Distortion
from diffstn.data.distortions.elastic import ElasticDistortion
from diffstn.data.distortions.projective import ProjectiveDistortion

__all__ = [
    "AffineDistortion",
    "DiscreteRotation",
    "Distortion",
    "ElasticDistortion",
    "ProjectiveDistortion",
]

"""Distances between point clouds, and between sets of point clouds."""

from diffstn.metrics.clouds.chamfer import Chamfer, chamfer
from diffstn.metrics.clouds.generation import CloudGeneration, coverage, minimum_matching, one_nn
from diffstn.metrics.clouds.occupancy import occupancy, occupancy_jsd
from diffstn.metrics.clouds.pairwise import CloudDistance, pairwise
from diffstn.metrics.clouds.sinkhorn import Sinkhorn
from diffstn.metrics.clouds.wasserstein import Wasserstein

__all__ = [
    "Chamfer",
    "CloudDistance",
    "CloudGeneration",
    "Sinkhorn",
    "Wasserstein",
    "chamfer",
    "coverage",
    "minimum_matching",
    "occupancy",
    "occupancy_jsd",
    "one_nn",
    "pairwise",
]

"""FID while a model learns."""

from types import SimpleNamespace

import torch

from diffstn.callbacks.fid_tracker import FIDTracker
from diffstn.metrics.images import RealStatistics


class Module:
    def __init__(self):
        self.logged = {}

    def log(self, name, value, **kwargs):
        self.logged[name] = float(value)


def test_it_logs_the_distance_to_the_real_moments():
    generator = torch.Generator().manual_seed(0)
    seen = torch.rand(2000, 2, generator=generator).split(300)
    mean, covariance = torch.full((2,), 1.5).double(), torch.eye(2).double() / 12
    real = RealStatistics(mean, covariance, seen[0], 300)
    tracker = FIDTracker(lambda model: iter(seen), 2, lambda: real)
    module = Module()
    tracker.on_fit_start(None, module)
    tracker.on_validation_epoch_end(SimpleNamespace(sanity_checking=True), module)
    assert not module.logged
    tracker.on_validation_epoch_end(SimpleNamespace(sanity_checking=False), module)
    assert abs(module.logged["val/fid"] - 2.0) < 0.05  # two means, each off by one

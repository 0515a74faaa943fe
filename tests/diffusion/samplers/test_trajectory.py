import torch

from diffstn.diffusion.samplers import DDIM, collect
from diffstn.diffusion.schedules import Cosine


def test_it_keeps_every_step_of_the_walk(gaussian):
    denoiser, sampler, x_T = gaussian(Cosine(40)), DDIM(steps=4), torch.randn(5, 6)
    timesteps, x_t, x_0 = collect(sampler.trajectory(denoiser, x_T))
    walk = list(sampler.trajectory(denoiser, x_T))
    assert timesteps == [40, 30, 20, 10, 0]
    for kept, seen in ((x_t, walk), (x_0, [(t, estimate, x) for t, x, estimate in walk])):
        assert len(kept) == len(seen)
        assert all(torch.equal(one, other) for one, (_, other, _) in zip(kept, seen, strict=True))


def test_each_tensor_is_transformed_as_it_comes_and_nothing_else_is_kept():
    events = []

    def walk():
        for t in (2, 1, 0):
            events.append(f"step {t}")
            yield t, torch.full((3,), float(t)), torch.full((3,), 10.0 + t)

    def mean(x):
        events.append("keep")
        return x.mean()

    kept = collect(walk(), mean)
    assert events == [event for t in (2, 1, 0) for event in (f"step {t}", "keep", "keep")]
    assert kept.timesteps == [2, 1, 0]
    assert torch.stack(kept.x_t).tolist() == [2, 1, 0]
    assert torch.stack(kept.x_0).tolist() == [12, 11, 10]

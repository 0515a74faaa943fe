from collections.abc import Callable

import pytest
import torch
from torch import nn

from diffstn.build import Built

Build = Callable[..., Built]


def test_untrained_it_answers_the_identity(built: Build):
    parts = built("model=latent_diff_in_stn", "sampler.steps=2")
    batch = parts.data.batch("val", torch.arange(3))
    A = parts.model.eval()(batch.image, hypotheses=2).A
    expected = torch.tensor([1.0, 0, 0, 0, 1, 0]).expand(3, 2, -1)
    torch.testing.assert_close(A, expected)


@pytest.mark.parametrize(("latent", "length"), [("20", 20), ("7", 7), ("null", 6)])
def test_diffuses_a_latent_of_any_length_or_the_pose_itself(built: Build, latent: str, length: int):
    parts = built("model=latent_diff_in_stn", f"model.latent={latent}", "sampler.steps=2")
    model, batch = parts.model, parts.data.batch("train", torch.arange(8))
    assert model.sample_latents(8, 3).shape == (8, 3, length)
    assert isinstance(model.regressor, nn.Identity) == (latent == "null")
    assert torch.isfinite(model.loss(batch)["loss"])
    assert model.eval()(batch.image).A.shape == (8, 1, 6)


def test_one_timestep_serves_the_whole_batch(built: Build, monkeypatch: pytest.MonkeyPatch):
    parts = built("model=latent_diff_in_stn")
    seen: list[torch.Tensor] = []
    network = parts.model.denoiser.network
    forward = network.forward

    def watched(z_t: torch.Tensor, t: torch.Tensor, **condition: torch.Tensor) -> torch.Tensor:
        seen.append(t)
        return forward(z_t, t, **condition)

    monkeypatch.setattr(network, "forward", watched)
    for _ in range(5):
        parts.model.loss(parts.data.batch("train", torch.arange(8)))
    assert all(len(t.unique()) == 1 and 1 <= t[0] <= 1000 for t in seen)
    assert len({int(t[0]) for t in seen}) > 1

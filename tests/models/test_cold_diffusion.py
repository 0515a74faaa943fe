"""Diffusion without noise: what it learns, restores and refuses."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from diffstn.codecs.pixels import Pixels
from diffstn.data.distortions.turn import Turn
from diffstn.data.facts import Facts
from diffstn.diffusion.processes import Blur, Pixelate
from diffstn.diffusion.samplers import DDIM, Cold, ColdNaive
from diffstn.errors import UserError
from diffstn.models.cold_diffusion import ColdDiffusion


class Linear(nn.Module):
    """An affine map for each timestep: all that undoing a linear process can take."""

    def __init__(self, channels, size, steps):
        super().__init__()
        side = channels * size[0] * size[1]
        self.weight = nn.Parameter(torch.zeros(steps + 1, side, side))
        self.bias = nn.Parameter(torch.zeros(steps + 1, side))

    def forward(self, x_t, t):
        moved = (self.weight[t] @ x_t.flatten(1)[..., None])[..., 0] + self.bias[t]
        return moved.reshape(x_t.shape)


PIXELS = partial(Pixelate, steps=4)


def build(process=PIXELS, sampler=None, **settings):
    return ColdDiffusion(
        facts=Facts("upright", ("a",), 1, (4, 4)),
        network=Linear,
        process=process,
        sampler=sampler or Cold(),
        codec=Pixels(),
        optimizer=torch.optim.Adam,
        lr_scheduler=None,
        **settings,
    )


def stripes(n):
    """Images that are known from their first pixel: bright or dark columns."""
    level = torch.rand(n, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    pattern = torch.tensor([1.0, 0.2, 0.8, 0.0])
    return (level * pattern).expand(n, 1, 4, 4)


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_it_learns_to_restore_what_can_be_known(loss):
    torch.manual_seed(0)
    model, x_0 = build(loss=loss), 2 * stripes(64) - 1
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(300):
        optimizer.zero_grad()
        model.losses(x_0).mean().backward()
        optimizer.step()
    with torch.no_grad():
        x_T, eps = model.degrade(x_0, 4, torch.randn(64, 1, 4, 4))
        for sampler in (Cold(), ColdNaive()):
            found = model.restore(x_T, eps=eps, sampler=sampler)
            assert float((found - x_0).abs().mean()) < 0.06
        half, _ = model.degrade(x_0, 2, torch.zeros(64, 1, 4, 4))
        assert float((model.restore(half, 2) - x_0).abs().mean()) < 0.06


def test_an_untrained_residual_network_has_the_loss_of_the_degraded_images():
    model, x_0 = build(loss="l2"), 2 * torch.rand(64, 1, 4, 4) - 1
    t = torch.arange(1, 5)
    expected = [(model.process.corrupt(x_0[:1].expand(4, -1, -1, -1), t) - x_0[:1]).square().mean()]
    found = [model.losses(x_0[:1].expand(4, -1, -1, -1)).mean()]  # one of every timestep
    torch.testing.assert_close(found, expected)


def test_samples_start_where_the_data_end():
    model = build(partial(Blur, steps=3, noise=0.0))
    model.process.fit(model.codec.encode(stripes(500)))
    made = model.sample(200, batch_size=50)  # an untrained residual network changes nothing
    assert made.shape == (200, 1, 4, 4)
    assert float(made.mean()) == pytest.approx(float(stripes(500).mean()), abs=0.03)
    assert torch.equal(made[:5], model.sample(5))
    assert not torch.equal(made[:5], model.sample(5, seed=1))
    with pytest.raises(ValueError, match="n=0"):
        model.sample(0)


def test_the_end_is_fitted_where_the_weights_are(monkeypatch):
    """Lightning names a GPU as the model's device before the model has been moved there."""
    model = build()
    items = stripes(64)
    data = SimpleNamespace(
        count=lambda split: len(items),
        batch=lambda split, rows, device: SimpleNamespace(items=items[rows].to(device)),
    )
    monkeypatch.setattr(ColdDiffusion, "trainer", SimpleNamespace(datamodule=data))
    monkeypatch.setattr(ColdDiffusion, "device", torch.device("meta"))
    model.setup("fit")
    level = 2 * items.mean() - 1
    assert torch.allclose(model.process.end.mean, level.expand(1, 4, 4), atol=1e-5)


def test_a_sampler_that_needs_noise_is_refused():
    with pytest.raises(ValueError, match="choose sampler=cold or sampler=cold_naive"):
        build(sampler=DDIM(steps=2))
    with pytest.raises(ValueError, match="cannot take 9 sampling steps"):
        build(sampler=Cold(steps=9))


def test_turned_images_are_restored_with_their_warp_and_not_sampled():
    model = build(partial(Turn, steps=4))
    x_T, A = model.degrade(torch.zeros(3, 1, 4, 4), 4, torch.randn(3, 1, 4, 4))
    assert A.shape == (3, 6)
    assert model.restore(x_T, eps=A).shape == (3, 1, 4, 4)
    with pytest.raises(UserError, match="process=turn ends in images"):
        model.sample(2)

"""What leads sampling: a weaker self, and where it does."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from diffstn.diffusion.schedules import Linear
from diffstn.errors import UserError
from diffstn.models import other_run
from diffstn.models.guidance import told_alike
from diffstn.networks.denoisers.deep_sets import DeepSets
from diffstn.networks.denoisers.points import PointDenoiser

from .test_diffusion_model import build, of_images

POINTS = partial(PointDenoiser, width=16, blocks=1, time_features=8)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Models by the names of the runs that they are loaded from."""
    there: dict[str, Any] = {"weak": build(POINTS)}
    monkeypatch.setattr(other_run, "load_model", there.__getitem__)
    return there


def test_sampling_is_led_away_from_a_weaker_model_within_the_interval(runs: dict[str, Any]):
    nn.init.normal_(runs["weak"].denoiser.network.output.weight, std=0.5)
    z = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = build(POINTS).denoise(z)
        guided = build(POINTS, weak="weak", weak_scale=0.5).denoise(z)
        nowhere = build(POINTS, weak="weak", weak_scale=0.5, guidance_interval=[0, 0]).denoise(z)
        halfway = build(POINTS, weak="weak", weak_scale=0.5, guidance_interval=[50, 100]).denoise(z)
    assert torch.equal(nowhere, plain)
    assert (guided - plain).abs().max() > 0.05
    assert not torch.equal(halfway, plain)
    assert not torch.equal(halfway, guided)


def test_a_weaker_model_hears_no_number_that_means_something_else():
    plain, kinds = of_images(conditional=True), of_images(conditional=True, clusters=4)
    others = of_images(conditional=True, clusters=4)
    assert others.clusters is not None
    others.clusters.centres.normal_()
    assert told_alike(None, True, plain)
    assert not told_alike(None, True, kinds)
    assert not told_alike(kinds.clusters, True, plain)
    assert told_alike(kinds.clusters, True, kinds)
    assert not told_alike(kinds.clusters, True, others)


def test_the_weaker_is_neither_trained_nor_stored(runs: dict[str, Any]):
    model = build(POINTS, weak="weak")
    assert not any(p.requires_grad for p in runs["weak"].parameters())
    assert not any("weak" in key for key in model.state_dict())


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: nn.Linear(2, 2), "weak is no run of a diffusion model"),
        (
            lambda: build(partial(DeepSets, width=16, blocks=1, time_features=8), points=5),
            "makes clouds of 5 points of 2 numbers, the model points of 2 numbers",
        ),
        (lambda: build(POINTS, "abc", conditional=True), "knows other classes: a, b, c"),
    ],
)
def test_a_stranger_is_refused(runs: dict[str, Any], other: Any, message: str):
    runs["weak"] = other()
    with pytest.raises(UserError, match=message):
        build(POINTS, "ab", conditional=True, weak="weak")


def test_other_channels_and_other_noise_are_refused(runs: dict[str, Any]):
    model = build(POINTS)
    stranger = build(POINTS)
    stranger.facts = stranger.facts.__class__(kind="upright", channels=3, size=(8, 8))
    runs["weak"] = stranger
    with pytest.raises(UserError, match="makes 3-channel images of 8 x 8 px, the model points of"):
        other_run.diffusion_of("model.weak=weak", model.facts, model.denoiser.schedule, model.codec)
    runs["weak"] = build(POINTS)
    with pytest.raises(UserError, match="with another schedule than the model"):
        other_run.diffusion_of("model.weak=weak", model.facts, Linear(100), model.codec)


@pytest.mark.parametrize("asked", [[5], [8, 3], [-1, 5], [0, 101], [1, 2, 3]])
def test_an_interval_outside_the_timesteps_is_refused(asked: list[int]):
    with pytest.raises(ValueError, match="give its first and last timestep, from 0 to 100"):
        build(POINTS, guidance_interval=asked)

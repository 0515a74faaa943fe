"""The diffusion model of tensors: what it learns, and that it hears its label."""

import pytest
import torch

from diffstn.diffusion import Denoiser
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.schedules import Cosine
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.networks.denoisers.deep_sets import DeepSets
from diffstn.networks.denoisers.points import PointDenoiser
from diffstn.optim.lr_schedules import constant


def build(network: torch.nn.Module, **settings: object) -> DiffusionModel:
    torch.manual_seed(0)
    denoiser = Denoiser(network, Cosine(100), "v")
    return DiffusionModel(
        denoiser,
        DDIM(20),
        optimizer=torch.optim.Adam,  # type: ignore[arg-type]
        lr_scheduler=constant,
        **settings,  # type: ignore[arg-type]
    )


def learn(model: DiffusionModel, x_0: torch.Tensor, label: torch.Tensor, steps: int = 400) -> None:
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        model.losses(x_0, label).mean().backward()
        optimizer.step()


def test_it_learns_where_each_class_lies():
    """Two classes, two points: conditional samples land on their own."""
    network = PointDenoiser(2, classes=2, width=32, blocks=2, time_features=16)
    model = build(network, classes=2, conditional=True)
    label = torch.arange(2).repeat(64)
    x_0 = torch.where(label[:, None] == 0, 0.8, -0.8) + 0.02 * torch.randn(128, 2)
    learn(model, x_0, label)
    with torch.no_grad():
        noise = torch.randn(128, 2, generator=torch.Generator().manual_seed(0))
        drawn = model.sample(noise, label)
        anything = model.sample(noise)
    assert float((drawn - x_0).norm(dim=1).mean()) < 0.15
    assert anything.shape == (128, 2)


def test_samples_follow_from_the_noise_and_any_number_of_points_can_be_drawn():
    model = build(DeepSets(2, width=16, blocks=1), classes=1)
    noise, other = torch.randn(2, 30, 2), torch.randn(2, 77, 2)
    assert torch.equal(model.sample(noise), model.sample(noise))
    assert model.sample(other).shape == (2, 77, 2)


def test_an_untrained_v_network_has_the_loss_of_the_data():
    """The output starts at zero: the mean-square of v = α ε − σ x_0 is α² + σ² E x_0²."""
    model = build(PointDenoiser(2), classes=1)
    x_0 = torch.randn(4000, 2) * 0.5
    loss = model.losses(x_0, torch.zeros(4000).long(), torch.Generator().manual_seed(0))
    t = torch.arange(1, 101)
    schedule = model.denoiser.schedule
    expected = (schedule.alpha_bar(t) + 0.25 * schedule.sigma(t).square()).mean()
    assert float(loss.mean().detach()) == pytest.approx(float(expected), rel=0.03)


def test_labels_are_withheld_in_the_share_that_was_asked_for(monkeypatch: pytest.MonkeyPatch):
    model = build(PointDenoiser(2, classes=3), classes=3, conditional=True, label_dropout=0.25)
    seen = []
    monkeypatch.setattr(
        model, "losses", lambda x_0, label: seen.append(label) or torch.zeros(1, requires_grad=True)
    )
    monkeypatch.setattr(model, "log", lambda *args, **kwargs: None)

    class Batch:
        x_0, label = torch.zeros(4000, 2), torch.ones(4000).long()

    model.training_step(Batch(), 0)
    assert set(seen[0].tolist()) == {1, 3}
    assert float((seen[0] == 3).float().mean()) == pytest.approx(0.25, abs=0.03)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="label_dropout is a share"):
        build(PointDenoiser(2), classes=1, label_dropout=2)
    with pytest.raises(ValueError, match="trained without labels"):
        build(PointDenoiser(2), classes=1).sample(torch.zeros(1, 2), torch.zeros(1).long())


def test_guidance_needs_a_model_that_heard_labels_and_went_without():
    for settings in ({}, {"conditional": True, "label_dropout": 0.0}):
        with pytest.raises(ValueError, match="needs a model that was trained with labels"):
            build(PointDenoiser(2, classes=3), classes=3, guidance_scale=1.0, **settings)
    network = PointDenoiser(2, classes=3, width=16, blocks=1)
    torch.nn.init.normal_(network.output.weight)
    x_T, label = torch.randn(5, 2), torch.arange(5) % 3
    drawn = [
        build(network, classes=3, conditional=True, guidance_scale=w).sample(x_T, label)
        for w in (0.0, 2.0)
    ]
    assert not torch.allclose(*drawn)

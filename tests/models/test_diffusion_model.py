"""The diffusion model of tensors: what it learns, and that it hears its label."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from diffstn.codecs.as_is import AsIs
from diffstn.codecs.pixels import Pixels
from diffstn.data.facts import Facts
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.schedules import Cosine
from diffstn.errors import UserError
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.networks.denoisers.deep_sets import DeepSets
from diffstn.networks.denoisers.points import PointDenoiser
from diffstn.networks.denoisers.unet import UNet
from diffstn.optim.lr_schedules import constant


def build(
    network: Callable[..., torch.nn.Module],
    classes: str = "a",
    points: int | None = None,
    **settings: object,
) -> DiffusionModel:
    torch.manual_seed(0)
    known: dict[str, object] = {
        "facts": Facts(kind="points", classes=tuple(classes), dim=2, points=points),
        "network": network,
        "schedule": Cosine(100),
        "sampler": DDIM(steps=20),
        "codec": AsIs(),
        "optimizer": torch.optim.Adam,
        "lr_scheduler": constant,
    }
    return DiffusionModel(**known | settings)  # type: ignore[arg-type]


def of_images(**settings: object) -> DiffusionModel:
    """Of images of 4 x 4 pixels."""
    facts = Facts(kind="upright", classes=("a", "b"), channels=1, size=(4, 4))
    network = partial(UNet, width=8, multipliers=(1,), blocks=1)
    return build(network, facts=facts, codec=Pixels(), **settings)


def learn(model: DiffusionModel, x_0: torch.Tensor, label: torch.Tensor, steps: int = 400) -> None:
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        model.losses(x_0, label).mean().backward()
        optimizer.step()


def test_it_learns_where_each_class_lies():
    """Two classes, two points: conditional samples land on their own."""
    network = partial(PointDenoiser, width=32, blocks=2, time_features=16)
    model = build(network, "ab", conditional=True)
    label = torch.arange(2).repeat(64)
    x_0 = torch.where(label[:, None] == 0, 0.8, -0.8) + 0.02 * torch.randn(128, 2)
    learn(model, x_0, label)
    with torch.no_grad():
        noise = torch.randn(128, 2, generator=torch.Generator().manual_seed(0))
        made = model.denoise(noise, label)
        anything = model.denoise(noise)
    assert float((made - x_0).norm(dim=1).mean()) < 0.15
    assert anything.shape == (128, 2)
    unasked = model.sample(100)  # of either class, and of nothing in between
    assert float((unasked.abs() - 0.8).norm(dim=1).mean()) < 0.15
    assert 30 < int((unasked[:, 0] > 0).sum()) < 70
    by_name, mixed = model.sample(50, label="b"), model.sample(2, label=torch.tensor([1, 0]))
    assert float((by_name + 0.8).norm(dim=1).mean()) < 0.15
    assert mixed[:, 0].sign().tolist() == [-1, 1]


def test_samples_follow_from_the_noise_and_any_number_of_points_can_be_drawn():
    model = build(partial(DeepSets, width=16, blocks=1), points=40)
    torch.nn.init.normal_(model.denoiser.network.output.weight, std=0.1)
    noise, other = torch.randn(2, 30, 2), torch.randn(2, 77, 2)
    with torch.no_grad():
        assert torch.equal(model.denoise(noise), model.denoise(noise))
        assert model.denoise(other).shape == (2, 77, 2)
    made = model.sample(3)
    assert made.shape == (3, 40, 2)
    assert torch.equal(made, model.sample(3))
    assert torch.allclose(made, model.sample(3, batch_size=2), atol=1e-5)
    assert not torch.equal(made, model.sample(3, seed=1))
    assert not torch.equal(made, model.sample(3, sampler=DDIM(steps=4)))
    assert not made.requires_grad


def test_an_untrained_v_network_has_the_loss_of_the_data():
    """The output starts at zero: the mean-square of v = α ε − σ x_0 is α² + σ² E x_0²."""
    model = build(PointDenoiser)
    x_0 = torch.randn(4000, 2) * 0.5
    loss = model.losses(x_0, torch.zeros(4000).long(), torch.Generator().manual_seed(0))
    t = torch.arange(1, 101)
    schedule = model.denoiser.schedule
    expected = (schedule.alpha_bar(t) + 0.25 * schedule.sigma(t).square()).mean()
    assert float(loss.mean().detach()) == pytest.approx(float(expected), rel=0.03)


def test_logit_normal_timesteps_leave_the_ends_to_themselves():
    """Of x_0 = 0 and an answer of 0 the loss is ᾱ ‖ε‖² / 2, whose square has the mean 2 E ᾱ²;
    p_t = Φ(logit t/T) − Φ(logit (t − 1)/T)."""
    chosen = torch.special.ndtr(torch.logit(torch.arange(101) / 100)).diff()
    for sampling, p in (("logit_normal", chosen), ("stratified", torch.full((100,), 0.01))):
        model = build(PointDenoiser, timestep_sampling=sampling)
        x_0, label = torch.zeros(40_000, 2), torch.zeros(40_000).long()
        loss = model.losses(x_0, label, torch.Generator().manual_seed(0)).detach()
        expected = 2 * (p * model.denoiser.schedule.alpha_bar(torch.arange(1, 101)).square()).sum()
        assert float(loss.square().mean()) == pytest.approx(float(expected), rel=0.02)


def test_labels_are_withheld_in_the_share_that_was_asked_for(monkeypatch: pytest.MonkeyPatch):
    model = build(PointDenoiser, "abc", conditional=True, label_dropout=0.25)
    seen = []
    monkeypatch.setattr(
        model, "losses", lambda x_0, label: seen.append(label) or torch.zeros(1, requires_grad=True)
    )
    monkeypatch.setattr(model, "log", lambda *args, **kwargs: None)

    class Batch:
        items, label = torch.zeros(4000, 2), torch.ones(4000).long()

    model.training_step(Batch(), 0)
    assert set(seen[0].tolist()) == {1, 3}
    assert float((seen[0] == 3).float().mean()) == pytest.approx(0.25, abs=0.03)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="label_dropout is a share"):
        build(PointDenoiser, label_dropout=2)
    with pytest.raises(ValueError, match="timestep_power must be positive"):
        build(PointDenoiser, timestep_power=0)
    model = build(PointDenoiser)
    with pytest.raises(ValueError, match="trained without labels"):
        model.denoise(torch.zeros(1, 2), torch.zeros(1).long())
    with pytest.raises(ValueError, match="ask for one item or more"):
        model.sample(0)
    with pytest.raises(ValueError, match="never went without labels, or with"):
        model.sample(1, guidance_scale=2.0)
    heard = build(PointDenoiser, "abc", conditional=True)
    with pytest.raises(ValueError, match="label='d': the classes are a, b, c"):
        heard.sample(1, label="d")
    with pytest.raises(ValueError, match="label=3: the classes are 0 to 2"):
        heard.sample(1, label=3)


def test_guidance_needs_a_model_that_heard_labels_and_went_without():
    for settings in ({}, {"conditional": True, "label_dropout": 0.0}):
        with pytest.raises(ValueError, match="needs a model that was trained with labels"):
            build(PointDenoiser, "abc", guidance_scale=1.0, **settings)
    network = partial(PointDenoiser, width=16, blocks=1)
    x_T, label = torch.randn(5, 2), torch.arange(5) % 3
    models = [build(network, "abc", conditional=True, guidance_scale=w) for w in (0.0, 2.0)]
    for model in models:
        torch.manual_seed(1)
        torch.nn.init.normal_(model.denoiser.network.output.weight)
    with torch.no_grad():
        made = [model.denoise(x_T, label) for model in models]
        asked = models[0].denoise(x_T, label, guidance_scale=2.0)
    assert not torch.allclose(*made)
    assert torch.equal(asked, made[1])


def test_images_are_sampled_of_kinds_that_nobody_named():
    """Bright and dark ones, three to one: samples are as many of each, and no label is heard."""
    kind = torch.arange(400) % 4 == 0
    images = torch.where(kind[:, None, None, None], 0.15, 0.85) + 0.03 * torch.randn(400, 1, 4, 4)
    model = of_images(clusters=2)
    assert not model.conditional
    assert not model.hears_label
    assert model.clusters is not None
    model.clusters.fit_to_images([images])
    heard = model.heard(SimpleNamespace(items=images, label=torch.zeros(400)))
    assert len(set(heard[kind].tolist())) == len(set(heard[~kind].tolist())) == 1
    learn(model, model.codec.encode(images), heard, 150)
    brightness = model.sample(400).mean(dim=(1, 2, 3))
    assert float((brightness > 0.5).float().mean()) == pytest.approx(0.75, abs=0.09)  # 4 errors
    assert float((brightness - 0.15).abs().minimum((brightness - 0.85).abs()).mean()) < 0.05
    assert torch.allclose(model.sample(5), model.sample(5, batch_size=2), atol=1e-5)
    led = model.sample(5, guidance_scale=1.0)
    assert not torch.allclose(led, model.sample(5))

    class Guide(torch.nn.Module):
        """Sure that what is dark is of class 1."""

        def forward(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            dark = 20 * x_t.mean(dim=(1, 2, 3))
            return torch.stack([dark, -dark], dim=1).log_softmax(1)

    model.guidance.guide, model.guidance.guide_scale = Guide(), 0.0  # type: ignore[assignment]
    asked = model.sample(40, label=torch.arange(2).repeat(20)).mean(dim=(1, 2, 3))
    assert (asked < 0.5).tolist() == [False, True] * 20  # by their kinds alone


def test_classes_have_kinds_of_their_own():
    """Bright and dark ones of two classes, which are three to one in the first and one to three in
    the second: so are the samples that are asked for.
    """
    source = torch.Generator().manual_seed(0)
    label = torch.arange(240) % 2
    dark = torch.rand(240, generator=source) < torch.tensor([0.25, 0.75])[label]
    shade = torch.where(dark, 0.15, 0.85) + torch.where(label == 1, 0.1, 0.0)
    images = shade[:, None, None, None] + 0.02 * torch.randn(240, 1, 4, 4, generator=source)
    model = of_images(clusters=4, conditional=True)
    assert model.clusters is not None
    model.clusters.fit_to_images([images], [label])
    heard = model.heard(SimpleNamespace(items=images, label=label))
    assert torch.equal(heard // 2, label)
    learn(model, model.codec.encode(images), heard, 150)
    asked = torch.arange(2).repeat(200)
    shown = model.sample(400, label=asked).mean(dim=(1, 2, 3))
    share = torch.stack([(shown[asked == c] < 0.5).float().mean() for c in range(2)])
    wanted = torch.stack([dark[label == c].float().mean() for c in range(2)])
    torch.testing.assert_close(share, wanted, atol=0.12, rtol=0)  # 4 errors
    wanted = torch.tensor([0.15, 0.85]) + 0.1 * asked[:, None]
    assert float((shown[:, None] - wanted).abs().amin(1).mean()) < 0.04
    assert len(model.sample(3)) == 3  # of any class


def test_kinds_stand_in_for_labels_of_images_and_of_nothing_else():
    with pytest.raises(ValueError, match=r"model\.clusters=1: fewer than the 2 classes"):
        of_images(clusters=1, conditional=True)
    with pytest.raises(ValueError, match=r"model\.clusters=3: the data are no images"):
        build(PointDenoiser, clusters=3)


def test_guidance_beyond_all_numbers_is_refused_in_one_line():
    network = partial(PointDenoiser, width=16, blocks=1)
    model = build(network, "abc", conditional=True)
    torch.nn.init.normal_(model.denoiser.network.output.weight)
    torch.nn.init.normal_(model.denoiser.network.condition.classes.weight)
    with pytest.raises(UserError, match=r"not finite: model\.guidance_scale=1e\+38 leads too hard"):
        model.sample(3, label="a", guidance_scale=1e38)
    assert model.sample(3, label="a", guidance_scale=2.0).isfinite().all()

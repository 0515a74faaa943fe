import math
from collections.abc import Callable

import pytest
import torch

from diffstn.build import Built
from diffstn.diffusion.processes.wrapped import wrap
from diffstn.errors import UserError
from diffstn.models.diff_in_stn import GOLDEN, DiffInSTN
from diffstn.spatial import as_matrix, decompose, turned

Build = Callable[..., Built]


def test_the_first_hypothesis_starts_at_the_centre_unless_told_otherwise(built: Build):
    def latents(*overrides: str) -> torch.Tensor:
        model: DiffInSTN = built("model=diff_in_stn", *overrides).model
        return model.sample_latents(50, 3, torch.Generator().manual_seed(0))

    centred, random = latents(), latents("model.centre_first=false")
    assert not centred[:, 0].any()
    assert torch.equal(centred[:, 1:], random[:, 1:])
    assert random[:, 0].std() > 0.8


def test_the_reverse_process_ends_at_the_sample(built: Build):
    parts = built("model=diff_in_stn", "sampler.steps=5")
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(4))
    latents = model.sample_latents(4, 2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        walk = list(model.reverse_process(batch.image, latents))
        sample = model.relative_poses(batch.image, latents)
    steps = [t for t, *_ in walk]
    assert len(steps) == 6
    assert steps == sorted(steps, reverse=True)
    assert (steps[0], steps[-1]) == (1000, 0)
    assert all(pose.shape == (4, 2, 6) for _, *poses in walk for pose in poses)
    assert torch.equal(walk[-1][1], sample)
    assert torch.equal(walk[-1][2], sample)


def test_the_loss_is_its_terms(built: Build):
    parts = built("model=diff_in_stn", "model.label_weight=0.25")
    terms = parts.model.train().loss(parts.data.batch("train", torch.arange(16)))
    assert set(terms) == {"loss", "diffusion", "label", "nll"}
    expected = terms["diffusion"] + 0.25 * terms["label"] + terms["nll"]
    torch.testing.assert_close(terms["loss"], expected)


def test_without_label_weight_labels_teach_nothing_but_the_classifier(built: Build):
    parts = built("model=diff_in_stn", "model.label_weight=0")
    model, batch = parts.model, parts.data.batch("train", torch.arange(16))

    def gradient(label: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        model.zero_grad()
        model.loss(batch._replace(label=label))["loss"].backward()
        return torch.cat([p.grad.flatten() for p in model.denoiser.parameters()])

    same = torch.equal(gradient(batch.label), gradient(batch.label.flip(0)))
    assert same


FULL = ("model=diff_in_stn", "encoder=polar", "data/distortion=full")


def test_turned_views_are_for_poses_of_any_rotation_seen_through_a_frame(built: Build):
    def views(*overrides: str) -> int:
        return built(*overrides).model.views

    assert views(*FULL, "frame=moments", "model.views=3") == 3
    assert views(*FULL, "frame=none", "model.views=3") == 1
    assert views("model=diff_in_stn", "encoder=polar", "frame=moments", "model.views=3") == 1


def test_a_hypothesis_from_a_turned_view_is_turned_back(built: Build):
    parts = built(*FULL, "frame=moments", "model.views=2", "sampler.steps=3")
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(4))
    torch.nn.init.normal_(model.denoiser.network.output.weight, std=0.02)
    latents = model.sample_latents(4, 3, torch.Generator().manual_seed(0))
    turn = torch.full((4,), GOLDEN)
    with torch.no_grad():
        poses, belief = model.poses(batch.image, latents), model.belief(batch.image)
        model.views = 1
        straight, first = model.poses(batch.image, latents), model.belief(batch.image)
        frame = model.frame
        model.frame = model.encoder.frame = lambda image: turned(frame, image, turn)
        from_the_turned, second = model.poses(batch.image, latents), model.belief(batch.image)
    torch.testing.assert_close(poses[:, 0::2], straight[:, 0::2], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(poses[:, 1], from_the_turned[:, 1], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(poses[:, 1], straight[:, 1], atol=0.1)
    torch.testing.assert_close(belief, (first + second) / 2, atol=1e-5, rtol=1e-4)


WRAPPED = ("model.noise=wrapped", "model.prediction=eps", "schedule=geometric")


@pytest.mark.parametrize("words", [("model.noise=uniform",), ("model.noise=laplace",), WRAPPED])
def test_noise_of_other_kinds_trains_and_samples(built: Build, words: tuple[str, ...]):
    parts = built("model=diff_in_stn", "data/distortion=full", "sampler.steps=4", *words)
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(16))
    terms = model.loss(batch)
    terms["loss"].backward()
    assert terms["loss"].isfinite()
    assert 0.4 < float(terms["diffusion"].detach()) < 1.6  # it starts at the variance
    latents = model.sample_latents(4, 3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        poses = model.eval().poses(batch.image[:4], latents)
    assert poses.shape == (4, 3, 6)
    assert poses.isfinite().all()


def test_a_wrapped_pose_does_not_depend_on_whole_turns(built: Build):
    parts = built("model=diff_in_stn", "data/distortion=full", "sampler.steps=4", *WRAPPED)
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(4))
    torch.nn.init.normal_(model.denoiser.network.network.output.weight, std=0.05)
    x_t, t = torch.randn(4, 6), torch.full((4,), 500)
    turned = x_t + torch.tensor([2 * math.pi, 0, 0, 0, 0, 0])
    told = {"embedding": model.encoder(batch.image)}
    with torch.no_grad():
        once, again = (model.denoiser(x, t, **told).eps for x in (x_t, turned))
    torch.testing.assert_close(once, again, rtol=1e-3, atol=1e-4)


def test_the_angle_is_asked_of_the_encoder_and_walks_start_around_its_reading(built: Build):
    parts = built("model=diff_in_stn", "data/distortion=full", "sampler.steps=4", *WRAPPED)
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(16))
    model.angle_head(model.encoder(batch.image), torch.zeros(16)).backward()
    assert all(p.grad.abs().sum() > 0 for p in model.encoder.parameters() if p.dim() > 1)
    for weight in (0.0, 1.0, 2.0):
        model.angle_weight = weight
        terms = model.loss(batch)
        known = terms["diffusion"] + 0.5 * terms["label"] + terms["nll"]
        torch.testing.assert_close(terms["loss"], known + weight * terms["angle"])
    torch.nn.init.zeros_(model.angle_head.linear.weight)
    model.standardiser.mean[1:3] = 1  # scales: a pose of none has no angle
    turns = []
    for phi in (0.0, 1.0):
        model.angle_head.linear.bias.data = torch.tensor([math.cos(phi), math.sin(phi)])
        latents = model.sample_latents(4, 2, torch.Generator().manual_seed(0))
        _, x_T, _ = next(iter(model.eval().reverse_process(batch.image[:4], latents)))
        turns.append(decompose(as_matrix(x_T))[0])
    torch.testing.assert_close(wrap(turns[1] - turns[0]), torch.ones(4, 2), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("model.angle_weight=1",), "noise=wrapped"),
        (("model.noise=uniform", "sampler.eta=1"), "draws Gaussian noise"),
        (("model.noise=laplace", "sampler=ddpm"), "sampler.eta=0"),
        (("model.noise=wrapped",), "model.prediction=eps"),
        ((*WRAPPED, "schedule.sigma_max=1"), "schedule.sigma_max=8"),
        ((*WRAPPED, "data/distortion=projective"), "affine poses"),
        (("model.noise=cauchy",), "choose one of gaussian"),
    ],
)
def test_noise_that_does_not_fit_is_refused(built: Build, words: tuple[str, ...], said: str):
    with pytest.raises((ValueError, UserError), match=said):
        built("model=diff_in_stn", *words)

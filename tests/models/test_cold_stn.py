"""Un-turning along geodesics: what is seen, what is walked, what is refused."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from diffstn.data.distortions import AffineDistortion
from diffstn.data.facts import Facts
from diffstn.diffusion.samplers import DDIM, Cold, ColdNaive
from diffstn.models.cold_stn import ColdSTN
from diffstn.spatial import (
    Affine,
    Projective,
    as_matrix,
    compose,
    geodesic,
    invert,
    logarithm,
    warp,
)


class Flat(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.features = 2

    def forward(self, image):
        return image.mean((1, 2, 3))[:, None].expand(-1, 2)


def build(sampler=None, transformation=None, **settings):
    return ColdSTN(
        facts=Facts(
            "distorted",
            ("a", "b"),
            1,
            (28, 28),
            (28, 28),
            transformation=transformation or Affine(),
        ),
        encoder=Flat,
        sampler=sampler or Cold(),
        classifier=lambda facts: nn.Sequential(nn.Flatten(), nn.Linear(784, 2)).requires_grad_(
            False
        ),
        optimizer=torch.optim.Adam,
        lr_scheduler=None,
        **settings,
    )


def poses(n=5):
    return AffineDistortion().draw(n, (28, 28), torch.Generator().manual_seed(0))


class Knows(nn.Module):
    """Says what remains of A, or that times a factor, as an encoder and a head would."""

    def __init__(self, model, A, share=1.0):
        super().__init__()
        self.A, self.share, self.restorer = as_matrix(A), share, [model.denoiser]

    def forward(self, P):
        return geodesic(compose(invert(as_matrix(P)), self.A), self.share)


def knowing(model, A, share=1.0):
    """The model with estimates from `Knows` in the place of its network's."""
    known = Knows(model, A, share)
    poses_seen = []

    def forward(x_t, t, s=None, image=None, eps=None):
        from diffstn.diffusion import Restored
        from diffstn.spatial import velocity

        poses_seen.append(x_t)
        B = known(x_t)
        whole = compose(as_matrix(x_t), B)
        steps = model.denoiser.process.steps
        v = velocity(whole) if model.denoiser.whole else (steps / t)[:, None, None] * velocity(B)
        return Restored(whole.flatten(1), v.flatten(1))

    model.denoiser.forward = forward
    return poses_seen


@pytest.mark.parametrize("sampler", [Cold(), ColdNaive()])
@pytest.mark.parametrize("velocity", ["remaining", "whole"])
def test_a_network_that_knows_walks_along_the_geodesic(sampler, velocity):
    model, A, image = build(sampler, steps=6, velocity=velocity), poses(), torch.rand(5, 1, 28, 28)
    seen = knowing(model, A)
    correction = model(image)
    torch.testing.assert_close(correction.A[:, 0], A, atol=1e-4, rtol=1e-4)
    for k, pose in enumerate(seen):
        expected = geodesic(as_matrix(A), k / 6).flatten(1)
        torch.testing.assert_close(pose, expected, atol=1e-4, rtol=1e-4)


def test_estimates_that_fall_short_are_made_up_for_on_the_way():
    """Each says nine tenths of what remains; one step would leave a tenth, the walk far less."""
    A, image = poses(), torch.rand(5, 1, 28, 28)
    one, many = build(Cold(steps=1), steps=6), build(steps=6)
    left = []
    for model in (one, many):
        knowing(model, A, 0.9)
        found = as_matrix(model(image).A[:, 0])
        left.append(float(logarithm(compose(invert(found), as_matrix(A))).abs().max()))
    assert left[1] < left[0] / 4  # a product of 1 − 0.9 / k: 0.021 against 0.1


def test_the_original_is_warped_once():
    model, A, image = build(), poses(), torch.rand(5, 1, 28, 28)
    knowing(model, A)
    correction = model(image)
    torch.testing.assert_close(
        correction.images[:, 0], warp(image, A, size=(28, 28)), atol=1e-3, rtol=0
    )


def test_what_is_shown_in_training_and_what_remains():
    model, A, image = build(jitter=0.2, steps=10), poses(), torch.rand(5, 1, 28, 28)
    t, z = torch.tensor([1, 3, 5, 10, 10]), torch.randn(5, 6)
    seen, left = model.carried(image, A, t, z)
    assert seen.shape == image.shape
    still = model.carried(image, A, t, torch.zeros(5, 6))
    torch.testing.assert_close(still[0][3], image[3], atol=1e-4, rtol=0)  # at T as it came
    expected = geodesic(as_matrix(A), t / 10)
    torch.testing.assert_close(still[1], expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(left, expected, atol=1e-2)


def test_a_run_from_the_command_line_corrects(train):
    import diffstn

    assert train("model=cold_stn", "model.steps=3", "out=run") == 0
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert set(metrics["numbers"]) == {"accuracy k=1", "uncorrected", "oracle"}
    model = diffstn.load("run")
    assert float(model.denoiser.standardiser.std.min()) < 1  # fitted, and kept with the weights
    corrected = model.correct(torch.rand(2, 1, 28, 28))
    assert corrected.images.shape == (2, 1, 28, 28)
    assert corrected.A.shape == (2, 6)


def test_bad_words_are_one_line(train, capfd):
    for words, says in (
        (["data/distortion=projective"], "follows geodesics of affine maps"),
        (["sampler=ddim"], "choose sampler=cold or sampler=cold_naive"),
        (["sampler.steps=11"], "cannot take 11 sampling steps"),
        (["model.velocity=half"], "model.velocity=half"),
    ):
        assert train("model=cold_stn", *words, "out=bad") == 2
        said = capfd.readouterr().err
        assert says in said
        assert "Traceback" not in said


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="follows geodesics of affine maps"):
        build(transformation=Projective())
    with pytest.raises(ValueError, match="choose sampler=cold"):
        build(DDIM(steps=2))
    with pytest.raises(ValueError, match="cannot take 20 sampling steps"):
        build(Cold(steps=20), steps=10)


def test_maps_without_a_logarithm_are_left_out_of_the_loss():
    from diffstn.data.batches import DistortedBatch
    from diffstn.spatial import affine_matrix

    half = affine_matrix(torch.tensor([torch.pi, 0.2]), 1.3, 0.7).flatten(1)
    image = torch.rand(2, 1, 28, 28)
    model = build(jitter=0.0, steps=1)
    terms = model.loss(DistortedBatch(image, torch.tensor([0, 1]), half, image))
    assert all(bool(value.isfinite()) for value in terms.values())
    known = logarithm(as_matrix(half[1:])).flatten(1).square().mean() / 2
    torch.testing.assert_close(terms["pose"].detach(), known)

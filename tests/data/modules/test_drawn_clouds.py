"""Stars and solids have the shape that they claim."""

import math

import pytest
import torch

from diffstn.data.modules.solids import Solids, box, random_rotations, sphere, torus
from diffstn.data.modules.stars import Stars
from diffstn.errors import UserError

from ..conftest import seeded


def test_a_star_lies_between_its_two_radii_and_touches_both():
    stars = Stars(arms=(4, 7), noise=0, radius=(1, 1), waist=(0.4, 0.4))
    clouds, labels = stars.draw(20, 4000, seeded())
    radii = clouds.norm(dim=-1)
    assert float(radii.max()) <= 1 + 1e-6
    assert float(radii.min()) >= 0.4 * math.cos(math.pi / 4) - 1e-6
    torch.testing.assert_close(radii.amax(dim=1), torch.ones(20), atol=0.02, rtol=0)
    assert labels.unique().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("arms", [4, 5, 7])
def test_a_star_of_p_arms_looks_the_same_after_a_pth_of_a_turn(arms: int):
    stars = Stars(arms=(arms, arms), noise=0)
    cloud = stars.draw(1, 20_000, seeded()).items[0]
    phi = torch.atan2(cloud[:, 1], cloud[:, 0])
    moment = [torch.polar(torch.ones_like(phi), k * phi).mean().abs() for k in range(1, arms + 1)]
    assert float(moment[-1]) > 0.05
    assert all(float(m) < 0.03 for m in moment[:-1])


def test_noise_and_rotation_can_be_turned_off():
    stars = Stars(arms=(5, 5), waist=(0.5, 0.5), radius=(1, 1), rotation=0, noise=0)
    a, b = stars.draw(2, 5000, seeded()).items
    tip = torch.tensor([1.0, 0.0])
    assert float((a - tip).norm(dim=1).min()) < 0.02
    assert float((b - tip).norm(dim=1).min()) < 0.02


def test_points_of_a_sphere_and_a_torus_are_uniform_by_area():
    z = sphere(1, 20_000, seeded())[0, :, 2]
    assert float(z.mean()) == pytest.approx(0, abs=0.02)  # Archimedes: z is uniform
    assert float(z.var()) == pytest.approx(1 / 3, abs=0.01)
    ring = torus(50, 4000, seeded())
    across = ring[..., :2].norm(dim=-1)
    thick = ((across.amax(1) - across.amin(1)) / 2)[:, None]
    major = 1 - thick
    torch.testing.assert_close(
        (across - major).square() + ring[..., 2].square(),
        thick.square().expand_as(across),
        atol=5e-3,
        rtol=0,
    )
    outside = (across > major).double().mean(dim=1)
    share = 0.5 + (thick / major / math.pi)[:, 0].double()  # area of the outer half of a torus
    torch.testing.assert_close(outside, share, atol=0.03, rtol=0)


def test_points_of_a_box_are_on_its_faces():
    cloud = box(1, 4000, seeded())[0]
    half = cloud.abs().amax(dim=0)
    on_a_face = ((cloud.abs() - half).abs() < 1e-6).any(dim=1)
    assert on_a_face.all()
    assert float(half.norm()) == pytest.approx(1, abs=1e-5)


def test_rotations_are_rotations():
    turned = random_rotations(100, seeded())
    identity = torch.eye(3).expand(100, 3, 3)
    torch.testing.assert_close(turned @ turned.mT, identity, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(turned), torch.ones(100), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", [Stars, Solids])
def test_clouds_are_fixed_by_their_seed_and_thinned_in_training_only(kind):
    data = kind(points=64, train=10, val=3, test=4, points_per_step=16)
    first, label = data.batch("test", torch.arange(4))
    assert first.shape == (4, 64, data.dim)
    assert torch.equal(first, kind(points=64, train=99, val=3, test=4).split("test").items)
    few = data.batch("train", torch.tensor([2, 5])).items
    assert few.shape == (2, 16, data.dim)
    whole = data.split("train").items[[2, 5]]
    for part, cloud in zip(few, whole, strict=True):
        same = (part[:, None] == cloud[None]).all(-1)
        assert same.sum() == 16
        assert int(same.any(0).sum()) == 16  # each point once
    assert not torch.equal(few, data.batch("train", torch.tensor([2, 5])).items)
    assert int(label.max()) < len(data.classes)


def test_impossible_clouds_are_refused():
    for bad, word in [
        ({"arms": (1, 3)}, "2 arms or more"),
        ({"waist": (0.5, 1.5)}, "a waist is below 1"),
        ({"noise": -1}, "at least 0"),
        ({"points": 0}, r"data\.points is 0"),
        ({"points_per_step": 0}, "points_per_step is 0"),
    ]:
        with pytest.raises(UserError, match=word):
            Stars(**bad)
    with pytest.raises(UserError, match="sphere, box, torus"):
        Solids(kinds=("cone",))

"""Shapes lie where they should, uniformly along their length."""

import math

import pytest
import torch
from scipy.stats import kstest

from diffstn.data.modules.shape_points import ShapePoints
from diffstn.data.modules.shapes import (
    MIXTURES,
    SHAPES,
    Checkerboard,
    Curves,
    Gaussians,
    arc,
    shape,
)
from diffstn.errors import UserError

from ..conftest import seeded


def test_points_of_a_circle_are_uniform_in_angle():
    points = shape("circle").draw(5000, seeded())
    torch.testing.assert_close(points.norm(dim=1), torch.full((5000,), 0.9), atol=1e-4, rtol=0)
    angle = torch.atan2(points[:, 1], points[:, 0]) / (2 * math.pi) + 0.5
    assert kstest(angle.numpy(), "uniform").pvalue > 0.01


def test_points_of_a_square_are_uniform_along_its_outline():
    x, y = (shape("square").draw(8000, seeded()) / 0.8).unbind(1)
    edge = torch.maximum(x.abs(), y.abs())
    torch.testing.assert_close(edge, torch.ones(8000))
    on_top = (y - 1).abs() < 1e-6
    assert int(on_top.sum()) == pytest.approx(2000, abs=4 * math.sqrt(8000 * 3 / 16))
    assert kstest(((x[on_top] + 1) / 2).numpy(), "uniform").pvalue > 0.01


def test_long_edges_get_more_points():
    line = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]])
    points = Curves([line]).draw(4000, seeded())
    share = float((points[:, 1] == 0).float().mean())
    assert share == pytest.approx(0.75, abs=4 * math.sqrt(0.1875 / 4000))


def test_thickness_is_a_standard_deviation():
    line = torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    y = Curves([line], thickness=0.05).draw(20_000, seeded())[:, 1]
    assert float(y.std()) == pytest.approx(0.05, rel=0.03)


def test_points_of_a_checkerboard_are_on_its_dark_squares():
    points = Checkerboard(4).draw(4000, seeded())
    column, row = ((points + 1) * 2).floor().long().unbind(1)
    assert ((row + column) % 2 == 0).all()
    counts = torch.bincount(row * 4 + column)
    assert int((counts > 0).sum()) == 8
    assert int(counts.max()) < 620


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_fill_the_square_and_no_more(name: str):
    points = shape(name).draw(5000, seeded())
    assert points.shape == (5000, 2)
    assert float(points.abs().max()) <= 1
    assert float((points.amax(0) - points.amin(0)).min()) > 0.8


def test_an_arc_has_its_length():
    length = arc(0.5, 0, math.pi).diff(dim=0).norm(dim=1).sum()
    assert float(length) == pytest.approx(0.5 * math.pi, rel=1e-4)


def test_shape_data_is_fixed_by_its_seed_and_labelled():
    data = ShapePoints("all", train=3000, val=70, test=70)
    batch = data.batch("test", torch.arange(70))
    assert batch.items.shape == (70, 2)
    again = ShapePoints("all", train=3000, val=70, test=70).batch("test", torch.arange(70))
    assert torch.equal(batch.items, again.items)
    other = ShapePoints("all", train=3000, val=70, test=70, data_seed=1)
    assert not torch.equal(batch.items, other.batch("test", torch.arange(70)).items)
    points, labels = data.split("train")
    rings = points[labels == data.classes.index("circle")]
    torch.testing.assert_close(rings.norm(dim=1), torch.full((len(rings),), 0.9), atol=1e-4, rtol=0)
    assert len(labels.unique()) == len(SHAPES)


def test_impossible_shapes_are_refused():
    with pytest.raises(UserError, match="dinohead, moons"):
        ShapePoints("dinosaur")
    with pytest.raises(UserError, match=r"data\.train is 0"):
        ShapePoints("circle", train=0)
    with pytest.raises(UserError, match=r"thickness is -1"):
        ShapePoints("circle", thickness=-1)
    with pytest.raises(ValueError, match="even number"):
        Checkerboard(3)


def test_mixtures_lie_around_their_centres_and_are_none_of_all():
    for name, count in (("ring8", 8), ("grid25", 25)):
        mixture = shape(name)
        assert isinstance(mixture, Gaussians)
        assert len(mixture.centres) == count
        points = mixture.draw(20_000, seeded())
        assert float(points.abs().max()) <= 1
        gap, which = (points[:, None] - mixture.centres).norm(dim=2).min(1)
        assert float(gap.square().mean()) == pytest.approx(2 * mixture.sd**2, rel=0.03)
        assert int(which.bincount().min()) > 20_000 / count * 0.8
        data = ShapePoints(name, train=10, val=10, test=10)
        assert data.modes() is not None
        torch.testing.assert_close(data.modes().centres, mixture.centres)
    assert not set(MIXTURES) & set(ShapePoints("all", train=10, val=10, test=10).classes)
    assert ShapePoints("circle", train=10, val=10, test=10).modes() is None
    thick = shape("ring8", thickness=0.015)
    assert thick.sd == pytest.approx(0.025)

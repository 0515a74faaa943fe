"""Counting modes."""

import math

import pytest
import torch

from diffstn.data.modules.shapes import MIXTURES, Gaussians, shape
from diffstn.metrics.clouds.modes import modes


@pytest.mark.parametrize("name", MIXTURES)
def test_all_of_a_mixture_s_own_modes_are_found(name: str):
    mixture = shape(name)
    assert isinstance(mixture, Gaussians)
    points = mixture.draw(4000, torch.Generator().manual_seed(0))
    found, good = modes(points, mixture.centres, mixture.sd)
    assert found == int("".join(c for c in name if c.isdigit()))
    assert good == pytest.approx(1 - math.exp(-4.5), abs=4 * math.sqrt(0.011 / 4000))


def test_a_few_samples_do_not_find_a_mode_and_those_between_are_not_good():
    centres = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    points = centres[:1].repeat(100, 1)
    points[:9] = centres[1]  # of the 50 that it should have
    points[9:30] += torch.tensor([0.4, 0.0])
    assert modes(points, centres, 0.1) == (1, pytest.approx(0.79))
    points[9] = centres[1]
    assert modes(points, centres, 0.1).found == 2

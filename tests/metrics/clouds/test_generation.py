import math

import pytest
import torch

from diffstn.metrics.clouds import (
    Chamfer,
    CloudGeneration,
    coverage,
    minimum_matching,
    occupancy,
    occupancy_jsd,
    one_nn,
)


def test_matching_and_coverage_of_a_small_table():
    distances = torch.tensor([[1.0, 5.0, 3.0], [2.0, 4.0, 9.0]])  # two generated, three references
    assert minimum_matching(distances) == (1 + 4 + 3) / 3
    assert coverage(distances) == pytest.approx(1 / 3)  # both are nearest to the first
    assert coverage(torch.tensor([[1.0, 5.0, 3.0], [2.0, 1.0, 9.0]])) == pytest.approx(2 / 3)


def test_one_nn_of_sets_apart_of_copies_and_of_ties():
    near, far = torch.ones(4, 4).fill_diagonal_(0), torch.full((4, 4), 9.0)
    assert one_nn(near, near, far) == 1
    copies = far.clone().fill_diagonal_(0)
    assert one_nn(near, near, copies) == 0
    assert one_nn(near, near, torch.ones(4, 4)) == 0.5


def test_one_nn_of_two_samples_of_one_distribution_is_about_a_half():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(400, 1, 2, generator=generator)
    metric = CloudGeneration(Chamfer())
    metric.update(points[:150], real=True)
    metric.update(points[150:200], real=True)
    metric.update(points[200:], real=False)
    result = metric.compute()
    assert result["one_nn"] == pytest.approx(0.5, abs=0.06)
    assert result["coverage"] > 0.5
    metric.update(points[:200] + 5, real=False)
    assert metric.compute()["one_nn"] > result["one_nn"]


def test_occupancy_counts_cells_and_keeps_strays():
    cloud = torch.tensor([[[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [7.0, 7.0]]])
    assert occupancy(cloud, resolution=2).tolist() == [0.25, 0.25, 0, 0.5]


def test_divergence_is_zero_for_the_same_and_one_bit_for_disjoint_sets():
    left, right = torch.full((3, 5, 2), -0.5), torch.full((2, 7, 2), 0.5)
    assert occupancy_jsd(left, left) == 0
    assert occupancy_jsd(left, right) == pytest.approx(1)
    half = torch.cat([left[:2], torch.full((2, 5, 2), 0.5)])
    # KL(left ‖ m) = log2 4/3, KL(half ‖ m) = (log2 2/3 + log2 2) / 2
    expected = (math.log2(4 / 3) + (math.log2(2 / 3) + 1) / 2) / 2
    assert occupancy_jsd(left, half) == pytest.approx(expected)


@pytest.mark.parametrize(
    "bad", [torch.zeros(3, 2), torch.zeros(1, 0, 2), torch.full((1, 2, 2), math.nan)]
)
def test_bad_clouds_are_refused(bad: torch.Tensor):
    with pytest.raises(ValueError, match=r"clouds are \(B, N, D\)|not finite"):
        CloudGeneration().update(bad, real=False)

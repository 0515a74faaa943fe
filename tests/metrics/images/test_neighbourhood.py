import pytest
import torch

from diffstn.metrics.images import neighbourhood_purity


def test_it_is_one_for_clusters_and_chance_for_noise():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(600) % 3
    noise = torch.randn(600, 5, generator=generator)
    clusters = noise + 50 * torch.eye(3, 5)[labels]
    assert neighbourhood_purity(clusters, labels) == 1
    assert neighbourhood_purity(noise, labels) == pytest.approx(1 / 3, abs=0.03)
    assert neighbourhood_purity(clusters, labels, among=(clusters, (labels + 1) % 3)) == 0


def test_it_agrees_with_a_plain_count_whatever_the_tiles():
    x, labels = torch.tensor([[0.0], [1.0], [3.0], [6.0]]), torch.tensor([0, 0, 1, 0])
    # nearest two: of 0: 1, 3; of 1: 0, 3; of 3: 1, 0; of 6: 3, 1
    expected = (1 + 1 + 0 + 1) / 8
    for tile in (1, 3, 100):
        assert neighbourhood_purity(x, labels, 2, tile=tile) == pytest.approx(expected)
    with pytest.raises(ValueError, match="4 neighbours need 5 vectors"):
        neighbourhood_purity(x, labels, 4)

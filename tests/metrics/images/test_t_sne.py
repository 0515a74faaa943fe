import pytest
import torch

from diffstn.metrics.images import neighbourhood_purity, t_sne
from diffstn.metrics.images.t_sne import affinities, divergence, entropy, student


def clusters() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(150) % 3
    return torch.randn(150, 20, generator=generator) + 6 * torch.eye(3, 20)[labels], labels


def test_rows_have_the_perplexity_that_was_asked_for():
    x, _ = clusters()
    for perplexity in (5.0, 30.0):
        p = affinities(1e3 * x.double(), perplexity)
        torch.testing.assert_close(entropy(p).exp(), p.new_full((150, 1), perplexity))
        torch.testing.assert_close(p.sum(1), p.new_ones(150))
        assert (p.diagonal() == 0).all()
    with pytest.raises(ValueError, match="perplexity"):
        affinities(x, 150.0)


def test_the_divergence_decreases_and_clusters_stay_apart():
    x, labels = clusters()
    p = affinities(x.double())
    p = (p + p.T).float() / 300
    kl = [float(divergence(p, t_sne(x, iterations=n))) for n in (1, 150, 400)]
    assert kl[0] > kl[1] > kl[2] > 0
    y = t_sne(x, iterations=400)
    assert neighbourhood_purity(y, labels) == 1
    assert torch.equal(y, t_sne(x, iterations=400))


def test_the_descent_is_that_of_the_divergence():
    x, _ = clusters()
    p = affinities(x.double())
    p = (p + p.T) / 300
    y = torch.randn(150, 2, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(divergence(p, y), y)
    q, w = (part.detach() for part in student(y))
    forces = (p - q) * w
    found = 4 * (forces.sum(1, keepdim=True) * y - forces @ y)
    torch.testing.assert_close(found.detach(), expected)

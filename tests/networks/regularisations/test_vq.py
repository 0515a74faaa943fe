"""The codebook."""

from pathlib import Path

import pytest
import torch

from diffstn import ranks
from diffstn.networks.regularisations.vq import VQ, perplexity
from tests.test_ranks import on_two


def blobs(n: int, seed: int = 0) -> torch.Tensor:
    """(n, 2, 4, 4): every place near one of four points."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 3.0], [0.0, -3.0]])
    which = torch.randint(4, (n, 4, 4), generator=generator)
    noise = 0.1 * torch.randn(n, 4, 4, 2, generator=generator)
    return (centres[which] + noise).movedim(-1, 1)


def learnt(codes: int = 8, steps: int = 60) -> VQ:
    torch.manual_seed(0)
    vq = VQ(2, codes=codes, decay=0.9)
    for seed in range(steps):
        vq(blobs(32, seed), torch.empty(0))
    return vq.eval()


def test_the_codes_go_where_the_latents_are():
    vq, z = learnt(), blobs(64, 999)
    found = vq(z, torch.empty(0))
    assert float((found.latent - z).square().mean().detach()) < 2 * 0.1**2
    assert torch.allclose(vq.settled(z), found.latent.detach(), atol=1e-6)
    assert 4 <= float(found.logged["perplexity"]) <= 8
    for centre in ([3, 0], [-3, 0], [0, 3], [0, -3]):
        assert float((vq.codebook - torch.tensor(centre)).norm(dim=1).min()) < 0.15


def test_the_nearest_code_is_taken():
    vq, z = learnt(), blobs(3, 5)
    distances = (z.movedim(1, -1)[..., None, :] - vq.codebook).norm(dim=-1)
    assert torch.equal(vq.codes(z), distances.argmin(-1))


def test_gradients_pass_as_if_nothing_were_rounded_and_the_loss_pulls_to_the_code():
    vq, z = learnt(), blobs(4, 7).requires_grad_()
    found = vq(z, torch.empty(0))
    (through,) = torch.autograd.grad(found.latent.sum(), z, retain_graph=True)
    assert torch.equal(through, torch.ones_like(z))
    (pull,) = torch.autograd.grad(found.loss, z)
    expected = 0.25 * 2 * (z - vq.settled(z)) / z.numel()
    assert torch.allclose(pull, expected, atol=1e-7)


def test_dead_codes_start_anew_as_latents():
    vq = learnt()
    vq.total[0], vq.number[0] = torch.tensor([50.0, 50.0]), 1e-6  # far away, and never chosen
    vq.train()
    vq(blobs(32, 1), torch.empty(0))
    assert float(vq.codebook.norm(dim=1).max()) < 4
    assert float(vq.number.min()) > 0


def test_in_evaluation_nothing_moves_and_a_state_is_taken_over_exactly():
    vq, other = learnt(), VQ(2, codes=8).eval()
    before = vq.codebook.clone()
    vq(blobs(8), torch.empty(0))
    other.load_state_dict(vq.state_dict())
    assert torch.equal(vq.codebook, before)
    assert torch.equal(other.codes(blobs(2)), vq.codes(blobs(2)))


def test_perplexity_counts_what_is_used():
    assert float(perplexity(torch.tensor([5.0, 5.0, 0.0, 0.0]))) == pytest.approx(2)
    assert float(perplexity(torch.ones(16))) == pytest.approx(16)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="codes=1: one code tells nothing"):
        VQ(2, codes=1)
    with pytest.raises(ValueError, match=r"decay=1\.0: must be at least 0 and below 1"):
        VQ(2, decay=1.0)


def shared() -> dict:
    """A codebook of one of two processes, each with half of every batch."""
    rank, world = ranks.group()
    torch.manual_seed(rank)
    vq = VQ(2, codes=8, decay=0.9)
    for seed in range(5):
        vq(blobs(32, seed)[rank::world], torch.empty(0))
    return dict(vq.state_dict())


def test_two_processes_have_one_codebook(tmp_path: Path):
    one, other = on_two(shared, tmp_path)
    assert torch.equal(one["total"], other["total"])
    assert torch.equal(one["number"], other["number"])
    assert float(one["number"].sum()) == pytest.approx(32 * 16, rel=0.3)  # of the whole batch

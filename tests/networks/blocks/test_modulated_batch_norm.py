import pytest
import torch
import torch.nn.functional as F

from diffstn.networks.blocks.modulated_batch_norm import ModulatedBatchNorm
from diffstn.networks.blocks.told import Told


def features(n: int = 6, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 + 3 * torch.randn(n, 4, 5, 3, generator=generator, dtype=torch.float64)


def build(**settings: object) -> ModulatedBatchNorm:
    torch.manual_seed(0)
    norm = ModulatedBatchNorm(1, 4, **settings).double()  # type: ignore[arg-type]
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    return norm


def test_with_one_level_it_is_batch_norm_then_scale_and_shift():
    norm, h = build(), features()
    s, b = torch.randn(2, 6, 4, dtype=torch.float64)
    expected = F.batch_norm(h, None, None, norm.weight, norm.bias, training=True)
    torch.testing.assert_close(norm(h), expected)
    modulated = expected * (1 + s[..., None, None]) + b[..., None, None]
    torch.testing.assert_close(norm(h, s, b), modulated)
    inputs = [x.clone().requires_grad_() for x in (h, s, b)]
    assert torch.autograd.gradcheck(norm, inputs)


def test_running_means_are_those_of_batches_the_first_as_it_is():
    norm, first, second = build(momentum=0.25), features(seed=1), features(seed=2)
    norm(first)
    torch.testing.assert_close(norm.mean[0], first.mean((0, 2, 3)))
    norm(second)  # the second counts a half, as a plain mean would have it
    torch.testing.assert_close(norm.mean[0], (first.mean((0, 2, 3)) + second.mean((0, 2, 3))) / 2)
    norm.eval()
    kept = [x.clone() for x in (norm.mean, norm.variance)]
    expected = F.batch_norm(first, *(x[0] for x in kept), norm.weight, norm.bias, False)
    torch.testing.assert_close(norm(first), expected)
    assert torch.equal(norm.mean, kept[0])


def test_each_level_of_noise_is_normalised_by_itself():
    norm, h = build(levels=4, steps=8), features(8)
    told = Told(torch.tensor([1, 2, 2, 1, 7, 8, 8, 8]))
    assert norm.level(h, Told(torch.arange(1, 9))).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    expected = torch.cat(
        [F.batch_norm(x, None, None, norm.weight, norm.bias, True) for x in h.split(4)]
    )
    torch.testing.assert_close(norm(h, told=told), expected)
    assert norm.batches.tolist() == [1, 0, 0, 1]
    norm.eval()
    torch.testing.assert_close(norm(h[:4], told=Told(told.t[:4])), expected[:4])


def test_a_live_norm_depends_on_the_batch_in_evaluation_too():
    h = features()
    for live in (False, True):
        norm = build(live=live)
        norm(h)
        norm.eval()
        apart = (norm(h)[:1] - norm(h[:1])).abs().max()
        assert bool(apart > 0.1) is live


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="levels=0"):
        build(levels=0)
    with pytest.raises(ValueError, match="told t"):
        build(levels=2)(features())

import pytest
import torch
import torch.nn.functional as F

from diffstn.networks.blocks import attended as module
from diffstn.networks.blocks.attended import attended


def tensors(queries=20, keys=30, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(2, 3, queries, 16), (2, 3, keys, 16), (2, 3, keys, 8)]
    return [torch.randn(s, generator=generator).to(dtype).requires_grad_() for s in shapes]


def written_out(q, k, v):
    weights = torch.exp(torch.einsum("...qd,...kd->...qk", q, k) / 16**0.5)
    return torch.einsum("...qk,...ke->...qe", weights / weights.sum(-1, keepdim=True), v)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12), (torch.bfloat16, 0.02)]
)
def test_is_softmax_of_scaled_products(dtype, tolerance):
    """Values and gradients, up to the type's rounding relative to their size."""
    found, wanted = tensors(dtype=dtype), [x.detach().double() for x in tensors(dtype=dtype)]
    for x in wanted:
        x.requires_grad_()
    answers = attended(*found), written_out(*wanted)
    pull = torch.randn(answers[1].shape, generator=torch.Generator().manual_seed(1))
    for answer in answers:
        answer.backward(pull.to(answer.dtype))
    pairs = [answers, *((a.grad, b.grad) for a, b in zip(found, wanted, strict=True))]
    for a, b in pairs:
        assert a.dtype == dtype
        assert (a.double() - b).norm() < tolerance * b.norm()


@pytest.mark.parametrize("few", [0, 10**9])
def test_both_ways_agree_in_bf16(monkeypatch, few):
    monkeypatch.setattr(module, "FEW", few)
    q, k, v = tensors(dtype=torch.bfloat16)
    wanted = written_out(q.double(), k.double(), v.double())
    assert (attended(q, k, v).double() - wanted).norm() < 0.02 * wanted.norm()


def test_many_pairs_and_float32_take_the_fused_kernel(monkeypatch):
    """It needs no memory for the pairs and is the faster one there."""
    asked = []

    def fused(q, k, v):
        asked.append((q.dtype, q.shape[-2]))
        return original(q, k, v)

    original = F.scaled_dot_product_attention
    monkeypatch.setattr(module.F, "scaled_dot_product_attention", fused)
    for length in (256, 257):
        for dtype in (torch.float32, torch.bfloat16):
            attended(*tensors(length, length, dtype))
    assert asked == [(torch.float32, 256), (torch.float32, 257), (torch.bfloat16, 257)]

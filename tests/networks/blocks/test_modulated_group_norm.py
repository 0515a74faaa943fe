import pytest
import torch
import torch.nn.functional as F

from diffstn.networks.blocks.modulated_group_norm import ModulatedGroupNorm


def build(dtype=torch.float64):
    torch.manual_seed(0)
    norm = ModulatedGroupNorm(4, 8).to(dtype)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    h = (2 + 3 * torch.randn(3, 8, 5, 6, dtype=dtype)).contiguous(memory_format=torch.channels_last)
    return norm, h, *torch.randn(2, 3, 8, dtype=dtype)


def reference(norm, h, s, b):
    plain = F.group_norm(h, norm.groups, norm.weight, norm.bias, norm.eps)
    return plain * (1 + s[..., None, None]) + b[..., None, None]


def test_it_is_group_norm_then_scale_and_shift():
    norm, h, s, b = build()
    torch.testing.assert_close(norm(h, s, b), reference(norm, h, s, b))
    zero = torch.zeros_like(s)
    torch.testing.assert_close(norm(h), reference(norm, h, zero, zero))
    assert norm(h).is_contiguous(memory_format=torch.channels_last)


def test_its_gradients_are_those_of_the_formula():
    norm, h, s, b = build()
    found, expected = [], []
    target = torch.randn_like(h)
    for function, gradients in ((norm, found), (lambda *a: reference(norm, *a), expected)):
        inputs = [x.clone().requires_grad_() for x in (h, s, b)]
        loss = ((function(*inputs) - target) ** 3).sum()
        gradients += torch.autograd.grad(loss, [*inputs, norm.weight, norm.bias])
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert torch.autograd.gradcheck(norm, [x.clone().requires_grad_() for x in (h, s, b)])


@pytest.mark.parametrize("shift", [0.0, 3.0, 30.0])
def test_half_precision_stays_near(shift):
    norm, h, s, b = build(torch.float32)
    h = (torch.randn(4, 8, 28, 28) + shift).bfloat16()
    s, b = torch.randn(2, 4, 8)
    with torch.autocast("cpu", torch.bfloat16):
        rough = norm(h, s, b)
    assert rough.dtype == torch.bfloat16
    exact = reference(norm, h.float(), s, b)
    # factor and offset are bf16 too: they cost the offset's last digit
    assert (rough.float() - exact).abs().mean() < (0.01 + 0.004 * shift) * exact.abs().mean()
    assert (rough.float().std((2, 3)) / exact.std((2, 3)) - 1).abs().max() < 0.03


def test_groups_must_fit():
    with pytest.raises(ValueError, match="must divide"):
        ModulatedGroupNorm(3, 8)

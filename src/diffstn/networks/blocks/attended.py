"""The attention that all networks share."""

import torch
import torch.nn.functional as F
from torch import Tensor

FEW = 256 * 256
"""Pairs of a query and a key up to which plain products are taken on a CPU."""


def attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    r"""$\mathrm{softmax}(QK^\top/\sqrt{d})\,V$ by the fastest way there is for it.

    That is `scaled_dot_product_attention`, but for few pairs of bf16 on a CPU, where its backward
    pass takes several times as long as that of two matrix products and a softmax (see
    `benchmarks/attention.py`). The products round the scores to bf16 before the softmax.

    Shapes: q (*, Q, d), k (*, K, d), v (*, K, e) → (*, Q, e).

    Source: Vaswani et al., Attention Is All You Need, 2017, eq. 1.
    """
    few = q.shape[-2] * k.shape[-2] <= FEW
    if few and q.device.type == "cpu" and q.dtype == torch.bfloat16:
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        return scores.softmax(dim=-1) @ v
    return F.scaled_dot_product_attention(q, k, v)

"""Attention on this CPU: plain products beside PyTorch's own, and how far each is from exact.

In bf16 the networks take plain products for few pairs, see `attended`; in fp32 always PyTorch's
own. Both are given the queries, keys and values of the same layer, as the UNet has them: heads of
32 features of square images. Contenders take turns; the fastest round counts. Where the CPU has no
bf16, fp32 is timed.

    python benchmarks/attention.py [--rounds 7] [--batch 32] [--sides 7,8,14,16] [--seconds 120]
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from rows import Rows
from torch import Tensor
from turns import fastest

from diffstn.hardware import cpu_has_bf16

HEADS, FEATURES = 2, 32
Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


def products(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention by two matrix products and a softmax."""
    return ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)).softmax(dim=-1) @ v


def split(layer: Tensor) -> Tensor:
    """Queries, keys and values (3, B, heads, places, features) of a layer's output."""
    return layer.unflatten(-1, (3, HEADS, FEATURES)).permute(2, 0, 3, 1, 4)


@torch.no_grad()
def forward(attention: Attention, layer: Tensor) -> Tensor:
    return attention(*split(layer))


def training(attention: Attention, layer: Tensor, pull: Tensor) -> None:
    attention(*split(layer)).backward(pull)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="at most")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--sides", default="7,8,14,16")
    parser.add_argument("--seconds", type=float, default=120, help="shared out among the sides")
    options = parser.parse_args(arguments)
    kind = torch.bfloat16 if cpu_has_bf16() else torch.float32
    name = "bf16" if cpu_has_bf16() else "no bf16 here: fp32"
    print(f"{name}, {torch.get_num_threads()} threads, batch {options.batch}, {HEADS} heads\n")
    header = ["places", "forward ms", "PyTorch", "x", "and backward ms", "PyTorch", "x"]
    rows = Rows([*header, "error", "PyTorch"], [7, 0, 0, 4, 0, 0, 4, 7, 7])
    sides = [int(side) for side in options.sides.split(",")]
    for side in sides:
        torch.manual_seed(0)
        shape = options.batch, side * side, 3 * HEADS * FEATURES
        layer = torch.randn(shape).to(kind).requires_grad_()
        exact = F.scaled_dot_product_attention(*split(layer.detach().double()))
        contenders: list[Attention] = [products, F.scaled_dot_product_attention]
        pull = torch.randn(exact.shape).to(kind)
        works: list[Callable[[], object]] = [partial(forward, a, layer) for a in contenders]
        works += [partial(training, a, layer, pull) for a in contenders]
        share = options.seconds / len(sides)
        found = fastest(works, rounds=options.rounds, times=3, seconds=share)
        ms = [1e3 * seconds for seconds in found]
        errors = [(forward(a, layer) - exact).norm() / exact.norm() for a in contenders]
        rows.add(
            *(f"{side} x {side}", *(f"{x:.2f}" for x in ms[:2]), f"{ms[1] / ms[0]:.2f}"),
            *(*(f"{x:.2f}" for x in ms[2:]), f"{ms[3] / ms[2]:.2f}"),
            *(f"{error.item():.1e}" for error in errors),
        )


if __name__ == "__main__":
    main()

"""Attention of bf16 on this machine: ours beside PyTorch's own, and how far each is from exact.

Both are given the queries, keys and values of the same layer, as the UNet has them: heads of 32
features of square images. Contenders take turns; the fastest round counts.

    python benchmarks/attention.py [--rounds 7] [--batch 32] [--sides 7,8,14,16,32]
"""

import argparse
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from unets import fastest

from diffstn.networks.blocks.attended import attended
from diffstn.store.markdown import markdown

HEADS, FEATURES = 2, 32
Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


def split(layer: Tensor) -> Tensor:
    return layer.unflatten(-1, (3, HEADS, FEATURES)).permute(2, 0, 3, 1, 4)


@torch.no_grad()
def forward(attention: Attention, layer: Tensor) -> Tensor:
    return attention(*split(layer))


def training(attention: Attention, layer: Tensor, pull: Tensor) -> None:
    attention(*split(layer)).backward(pull)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--sides", default="7,8,14,16,32")
    arguments = parser.parse_args()
    rows = []
    for side in map(int, arguments.sides.split(",")):
        torch.manual_seed(0)
        shape = arguments.batch, side * side, 3 * HEADS * FEATURES
        layer = torch.randn(shape).bfloat16().requires_grad_()
        exact = F.scaled_dot_product_attention(*split(layer.detach().double()))
        contenders: list[Attention] = [attended, F.scaled_dot_product_attention]
        pull = torch.randn(exact.shape).bfloat16()
        works: list[Callable[[], object]] = [partial(forward, a, layer) for a in contenders]
        works += [partial(training, a, layer, pull) for a in contenders]
        ms = [1e3 * seconds for seconds in fastest(works, arguments.rounds, 3)]
        errors = [
            f"{((forward(a, layer) - exact).norm() / exact.norm()).item():.1e}" for a in contenders
        ]
        rows.append(
            [f"{side} x {side}"]
            + [f"{x:.2f}" for x in ms[:2]]
            + [f"{ms[1] / ms[0]:.2f}"]
            + [f"{x:.2f}" for x in ms[2:]]
            + [f"{ms[3] / ms[2]:.2f}", *errors]
        )
    print(f"{torch.get_num_threads()} threads, batch {arguments.batch}, {HEADS} heads\n")
    header = ["places", "forward ms", "PyTorch", "x", "and backward ms", "PyTorch", "x"]
    print(markdown([*header, "error", "PyTorch"], rows))


if __name__ == "__main__":
    main()

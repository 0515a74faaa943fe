"""The UNets that train_step.py and sampling.py compare."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from rows import Rows
from torch import Tensor, nn
from turns import fastest

from diffstn.hardware import cpu_has_bf16
from diffstn.networks.denoisers.unet import UNet

CHANNELS, SIDE, WIDTH = 1, 32, 64


class Contender(NamedTuple):
    """A network, and how it is run."""

    name: str
    network: nn.Module
    call: Callable[[nn.Module, Tensor, Tensor], Tensor]
    bf16: bool
    channels_last: bool

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        return self.call(self.network, x, t)

    def precision(self) -> Any:
        """The context to call it in."""
        return torch.autocast("cpu", torch.bfloat16) if self.bf16 else nullcontext()

    @property
    def how(self) -> str:
        """Its precision and memory format, in words."""
        words = ["bf16" if self.bf16 else "fp32", "channels-last" if self.channels_last else ""]
        return " ".join(filter(None, words))

    @property
    def millions(self) -> float:
        """Parameters."""
        return sum(p.numel() for p in self.network.parameters()) / 1e6


def ours(patch: int = 1) -> nn.Module:
    return UNet(CHANNELS, (SIDE, SIDE), width=WIDTH, multipliers=(1, 2, 2), patch=patch)


def diffusers() -> nn.Module:
    from diffusers import UNet2DModel

    return UNet2DModel(  # type: ignore[return-value]
        sample_size=SIDE,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=(WIDTH, 2 * WIDTH, 2 * WIDTH),
        down_block_types=("DownBlock2D",) * 3,
        up_block_types=("UpBlock2D",) * 3,
        layers_per_block=2,
    )


def lucidrains() -> nn.Module:
    from denoising_diffusion_pytorch import Unet

    return Unet(WIDTH, dim_mults=(1, 2, 2), channels=CHANNELS)


def plain(network: nn.Module, x: Tensor, t: Tensor) -> Tensor:
    return network(x, t)


def contenders() -> list[Contender]:
    """Ours as runs do it, as those that are in a hurry do, and in fp32; the others, if installed.

    bf16 is left out where the CPU would emulate it.
    """
    fast = cpu_has_bf16()
    found = [Contender("diffstn, as runs do it", ours(), plain, fast, True)]
    found.append(Contender("diffstn, network.patch=2", ours(2), plain, fast, True))
    if fast:
        found.append(Contender("diffstn", ours(), plain, False, True))
    others: list[tuple[str, Callable[[], nn.Module], Callable[..., Tensor]]] = [
        ("diffusers", diffusers, lambda net, x, t: net(x, t).sample),
        ("denoising-diffusion-pytorch", lucidrains, plain),
    ]
    ways = [(False, False), (True, False), (True, True)] if fast else [(False, False)]
    for name, build, call in others:
        try:
            found += [Contender(name, build(), call, bf16, last) for bf16, last in ways]
        except ImportError:
            print(f"{name} is not installed: left out", flush=True)
    for one in found:
        if one.channels_last:
            one.network.to(memory_format=torch.channels_last)
    return found


def compare(
    what: str,
    found: Sequence[Contender],
    works: Sequence[Callable[[], object]],
    batch: int,
    rounds: int,
    times: int,
    seconds: float,
) -> None:
    """Print images per second of every contender: of the first round as it goes, then the best.

    Args:
        what: is timed, for the header.
        found: the contenders, ours first.
        works: one call of each.
        batch: images of a call.
        rounds, times, seconds: see `fastest`.
    """
    bf16 = "" if cpu_has_bf16() else "; no bf16 here: fp32 alone"
    print(f"{torch.get_num_threads()} threads, {SIDE} x {SIDE} x {CHANNELS}{bf16}", flush=True)

    def table(title: str) -> Callable[[int, float, float], None]:
        print(f"\n{title}\n")
        header = [
            "network",
            "run in",
            "M parameters",
            f"images/s, {what}",
            "ours is x times as fast",
        ]
        rows = Rows(header, [max(len(one.name) for one in found), len("bf16 channels-last")])

        def add(i: int, own: float, ours: float) -> None:
            one = found[i]
            rows.add(
                *(one.name, one.how, f"{one.millions:.1f}"),
                *(f"{batch / own:.1f}", f"{own / ours:.2f}"),
            )

        return add

    add, seen = table("first round"), []

    def first(i: int, own: float) -> None:
        seen.append(own)
        add(i, own, seen[0])

    best = fastest(works, rounds=rounds, times=times, seconds=seconds, first=first)
    add = table("fastest round")
    for i, own in enumerate(best):
        add(i, own, best[0])


if __name__ == "__main__":
    print("run train_step.py or sampling.py")

"""The UNets that train_step.py and sampling.py compare."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from diffstn.hardware import choose_hardware
from diffstn.networks.denoisers.unet import UNet
from diffstn.store.markdown import markdown

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
        return torch.autocast("cpu", torch.bfloat16) if self.bf16 else nullcontext()

    @property
    def how(self) -> str:
        words = ["bf16" if self.bf16 else "fp32", "channels-last" if self.channels_last else ""]
        return " ".join(filter(None, words))


def ours() -> nn.Module:
    return UNet(CHANNELS, (SIDE, SIDE), width=WIDTH, multipliers=(1, 2, 2))


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
    """Ours in the precision that a run picks here and in fp32; the others at both, if installed."""
    default = choose_hardware().precision == "bf16-mixed"
    found = [Contender("diffstn, as runs do it", ours(), plain, default, True)]
    if default:
        found.append(Contender("diffstn", ours(), plain, False, True))
    others: list[tuple[str, Callable[[], nn.Module], Callable[..., Tensor]]] = [
        ("diffusers", diffusers, lambda net, x, t: net(x, t).sample),
        ("denoising-diffusion-pytorch", lucidrains, plain),
    ]
    for name, build, call in others:
        try:
            for bf16, last in ((False, False), (True, False), (True, True)):
                found.append(Contender(name, build(), call, bf16, last))
        except ImportError:
            print(f"{name} is not installed: left out")
    for one in found:
        if one.channels_last:
            one.network.to(memory_format=torch.channels_last)
    return found


def fastest(works: Sequence[Callable[[], object]], rounds: int, times: int) -> list[float]:
    """Seconds of one call of each: the best mean of `times` calls over so many rounds."""
    for work in works:
        work()  # warm up
    best = [float("inf")] * len(works)
    for _ in tqdm(range(rounds), desc="rounds", disable=None):
        for i, work in enumerate(works):
            start = time.perf_counter()
            for _ in range(times):
                work()
            best[i] = min(best[i], (time.perf_counter() - start) / times)
    return best


def report(what: str, works: Sequence[Any], speeds: Sequence[float]) -> None:
    """Print the table, each against ours."""
    rows = []
    for work, speed in zip(works, speeds, strict=True):
        one = work.contender
        million = sum(p.numel() for p in one.network.parameters()) / 1e6
        rows.append(
            [one.name, one.how, f"{million:.1f}", f"{speed:.0f}", f"{speeds[0] / speed:.2f}"]
        )
    header = ["network", "run in", "M parameters", f"images/s, {what}", "ours is x times as fast"]
    print(f"{torch.get_num_threads()} threads, {SIDE}x{SIDE}x{CHANNELS}\n")
    print(markdown(header, rows))


if __name__ == "__main__":
    print("run train_step.py or sampling.py")

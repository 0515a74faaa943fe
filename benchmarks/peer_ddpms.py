"""Diffusion of digits by two peers, each by its own recipe, which goes on where it was stopped.

    pip install -e '.[peers]'

- `diffusers`: `UNet2DModel` as small as the diffusion course of its makers has it for MNIST (32,
  64, 64 channels, attention on the lower two levels), and the recipe of its example
  `unconditional_image_generation`: eps of 1000 linear steps, AdamW (0.95, 0.999) with weight decay
  10⁻⁶, cosine after a warm-up of 500 steps, gradients clipped at 1, an average of the weights whose
  memory grows. The example's learning rate is 10⁻⁴, the course's 10⁻³: `rate` is ours to choose.
- `denoising_diffusion_pytorch`: `Unet` of width 32 and `GaussianDiffusion` as they come (v of 1000
  sigmoid steps), Adam (0.9, 0.99) at a constant rate, clipped at 1, averaged with 0.995 every ten
  steps, as its `Trainer`, whose mirror images are left out.

Both see batches of 64 in the precision of the hardware, in the memory format in which they are
faster (benchmarks/train_step.py). Sampled are the averaged weights, by any sampler of ours.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from diffstn.diffusion import Denoiser, Gaussian
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.schedules import Schedule
from diffstn.diffusion.wrappers import Clipped
from diffstn.hardware import Hardware

SIDE, STEPS, BATCH, WARM_UP = 28, 1000, 64, 500
WARM, TIMED, SAVED = 3, 12, 120.0
"""Batches before the clock and on it; seconds between two checkpoints."""


class FromOne(nn.Module):
    """A network that counts timesteps from 0, asked with ours, from 1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_t: Tensor, t: Tensor, **condition: Tensor) -> Tensor:
        found = self.network(x_t, t - 1)
        return getattr(found, "sample", found)


class Generator28(nn.Module):
    """A peer's network as a model that tasks of generation can look at, see `Generates`."""

    conditional = hears_label = False
    noise_shape = (1, SIDE, SIDE)

    def __init__(self, denoiser: Denoiser, sampler: Sampler) -> None:
        super().__init__()
        self.denoiser, self.sampler = denoiser, sampler

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @torch.no_grad()
    def generate(
        self, noise: Tensor, label: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        x_0 = self.sampler(Clipped(self.denoiser, 1.0), noise.to(self.device), generator)
        return ((x_0 + 1) / 2).clamp(0, 1)


class Averaged:
    """A peer's moving average of weights, whose state is its own."""

    kept: Any

    def state_dict(self) -> Any:
        return self.kept.state_dict()

    def load_state_dict(self, state: Any) -> None:
        self.kept.load_state_dict(state)


class Peer(NamedTuple):
    """What a peer learns with."""

    network: nn.Module
    betas: Tensor
    prediction: str
    loss: Callable[[Tensor], Tensor]
    """Of images (B, 1, 28, 28) in [0, 1]."""
    channels_last: bool
    optimizer: Callable[[Any], torch.optim.Optimizer]
    scheduler: Callable[[torch.optim.Optimizer, int], Any] | None
    average: Callable[[nn.Module], Any]
    """Of the weights: `step(network)`, `copy_to(network)`, `state_dict()`."""


def diffusers(rate: float) -> Peer:
    from diffusers import DDPMScheduler, UNet2DModel
    from diffusers.optimization import get_scheduler
    from diffusers.training_utils import EMAModel

    network: Any = UNet2DModel(
        sample_size=SIDE,
        in_channels=1,
        out_channels=1,
        layers_per_block=2,
        block_out_channels=(32, 64, 64),
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    )
    noise_scheduler: Any = DDPMScheduler(num_train_timesteps=STEPS)

    def loss(images: Tensor) -> Tensor:
        x_0 = 2 * images - 1
        eps = torch.randn_like(x_0)
        t = torch.randint(0, STEPS, (len(x_0),), device=x_0.device)
        x_t = noise_scheduler.add_noise(x_0, eps, t)
        return F.mse_loss(network(x_t, t).sample.float(), eps)

    class Average(Averaged):
        """Their moving average, with the network that it is of."""

        def __init__(self, of: nn.Module) -> None:
            self.kept = EMAModel(
                of.parameters(), 0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75
            )

        def step(self, of: nn.Module) -> None:
            self.kept.step(of.parameters())

        def copy_to(self, of: nn.Module) -> None:
            self.kept.copy_to(of.parameters())

    return Peer(
        network,
        noise_scheduler.betas,
        "eps",
        loss,
        False,
        lambda p: torch.optim.AdamW(p, rate, betas=(0.95, 0.999), weight_decay=1e-6),
        lambda optimizer, total: get_scheduler(
            "cosine",
            optimizer,
            num_warmup_steps=min(WARM_UP, total // 4),
            num_training_steps=total,
        ),
        Average,
    )


def lucidrains(rate: float) -> Peer:
    from denoising_diffusion_pytorch import GaussianDiffusion, Unet

    network = Unet(32, dim_mults=(1, 2, 4), channels=1)
    diffusion = GaussianDiffusion(network, image_size=SIDE, timesteps=STEPS)

    class Average(Averaged):
        """Of `Trainer`: 0.995 of the past, every ten steps."""

        def __init__(self, of: nn.Module) -> None:
            from ema_pytorch import EMA

            self.kept = EMA(of, beta=0.995, update_every=10)

        def step(self, of: nn.Module) -> None:
            self.kept.update()

        def copy_to(self, of: nn.Module) -> None:
            of.load_state_dict(self.kept.ema_model.state_dict())

    return Peer(
        network,
        diffusion.betas,
        "v",
        diffusion,
        True,
        lambda p: torch.optim.Adam(p, rate, betas=(0.9, 0.99)),
        None,
        Average,
    )


PEERS = {"diffusers": diffusers, "denoising_diffusion_pytorch": lucidrains}


def why_not(name: str) -> str:
    """What is missing of a peer, in a line; empty if nothing is."""
    try:
        __import__(name)
    except ImportError as error:
        return f"not installed ({error})"
    return ""


class Training:
    """A peer at the beginning of its training on images, uint8 (N, 1, 28, 28)."""

    def __init__(
        self, name: str, images: Tensor, hardware: Hardware, seed: int, rate: float
    ) -> None:
        torch.manual_seed(seed)
        self.peer, self.images, self.hardware, self.seed = PEERS[name](rate), images, hardware, seed
        self.network = self.peer.network.to(hardware.device)
        if self.peer.channels_last:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = self.peer.average(self.network)
        self.optimizer = self.peer.optimizer(self.network.parameters())
        self.scheduler: Any = None
        self.steps, self.seconds = 0, 0.0

    def planned(self, total: int) -> None:
        """For so many steps."""
        if self.peer.scheduler is not None:
            self.scheduler = self.peer.scheduler(self.optimizer, total)

    def step(self) -> None:
        """One batch, of an order of all images that follows from the seed and the epoch."""
        each = len(self.images) // BATCH
        epoch, at = divmod(self.steps, each)
        order = torch.randperm(
            len(self.images), generator=Generator().manual_seed((self.seed << 16) + epoch)
        )
        rows = order[at * BATCH : (at + 1) * BATCH].to(self.images.device)
        batch = self.images[rows].float() / 255
        if self.peer.channels_last:
            batch = batch.contiguous(memory_format=torch.channels_last)
        with self.hardware.autocast():
            loss = self.peer.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        self.average.step(self.network)
        self.steps += 1

    @property
    def parts(self) -> dict[str, Any]:
        """What has a state."""
        found = {"network": self.network, "optimizer": self.optimizer, "average": self.average}
        return found | ({"scheduler": self.scheduler} if self.scheduler is not None else {})

    def save(self, path: Path, total: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        spent = {"steps": self.steps, "seconds": self.seconds, "total": total}
        written = path.with_suffix(".part")
        torch.save({**{k: part.state_dict() for k, part in self.parts.items()}, **spent}, written)
        written.replace(path)

    def load(self, state: dict[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.steps, self.seconds = state["steps"], state["seconds"]

    def denoiser(self) -> Denoiser:
        """Of the averaged weights."""
        self.average.copy_to(self.network)
        process = Gaussian(Schedule(self.peer.betas))
        found = Denoiser(FromOne(self.network.eval()), process, self.peer.prediction, "fixed_small")
        return found.to(self.hardware.device)


def pace(training: Training) -> float:
    """Seconds of a step, the median of a few."""
    spans = []
    for _ in range(WARM + TIMED):
        begin = time.perf_counter()
        training.step()
        spans.append(time.perf_counter() - begin)
    return float(torch.tensor(spans[WARM:]).median())


class Trained(NamedTuple):
    """A peer's denoiser, how long it has learned, and in how many steps."""

    denoiser: Denoiser
    seconds: float
    steps: int


def trained(
    path: Path,
    name: str,
    images: Tensor,
    hardware: Hardware,
    *,
    seconds: float,
    seed: int,
    rate: float,
) -> Trained:
    """The peer whose state lies at `path`, trained on until it has learned for about so long.

    The number of steps follows from its speed at the start, so that its learning rate is where its
    recipe wants it at the end. A state is written every two minutes.

    Args:
        images: uint8 (N, 1, 28, 28), all of the training images, on the device.
    """
    state, asked = None, (name, images, hardware, seed, rate)
    if path.exists():
        state = torch.load(path, weights_only=True, map_location=hardware.device)
    total = state["total"] if state else max(1, round(seconds / pace(Training(*asked))))
    training = Training(*asked)
    training.planned(total)
    if state:
        training.load(state)
    saved = time.perf_counter()
    while training.steps < total:
        begin = time.perf_counter()
        training.step()
        training.seconds += time.perf_counter() - begin
        if time.perf_counter() - saved > SAVED or training.steps == total:
            training.save(path, total)
            saved = time.perf_counter()
    return Trained(training.denoiser(), training.seconds, training.steps)

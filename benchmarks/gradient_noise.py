"""How noisy a diffusion model's gradient is, by how the timesteps of its batches are chosen.

    python benchmarks/gradient_noise.py [--run RUN] [--loss vlb] [--batches 100] [--batch 64]
        [--memory 10] [--seed 0] [further overrides]

The weights of a run, held still. With the gradient g of a batch,

    noise = E ‖g − E g‖²

over batches whose images, timesteps and noise are drawn anew, estimated without bias from so many.
E g is the same in all rows. Half the noise is worth a batch of twice the size.

| row | |
|---|---|
| independent | each item's timestep uniform by itself |
| stratified | one timestep from each of as many equal strata as the batch has items |
| importance | drawn as `model.timestep_sampling=importance` does, once it knows the losses |
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import torch
from rows import Rows
from torch import Generator, Tensor

from diffstn.build import build_data, load_model
from diffstn.cli.overrides import apply_overrides
from diffstn.diffusion import LossSecondMoment, gaussian_noise, shuffled_timesteps
from diffstn.diffusion.timesteps import uniform_timesteps
from diffstn.hardware import choose_hardware
from diffstn.store.run_folder import open_run

Chosen = Callable[[int, Generator], tuple[Tensor, Tensor]]
"""(n, generator) → timesteps and the weights of their losses, (n,) each."""


class Losses:
    """Of a run's model at timesteps of one's own, on training images that follow from a seed."""

    def __init__(self, model: Any, data: Any, seed: int) -> None:
        self.model, self.data = model, data
        self.generator = Generator().manual_seed(seed)

    def at(self, t: Tensor) -> Tensor:
        """(B,), of as many random images as there are timesteps."""
        model = self.model
        rows = torch.randint(self.data.count("train"), (len(t),), generator=self.generator)
        batch = self.data.batch("train", rows, model.device)
        x_0 = model.codec.encode(batch.items)
        eps = gaussian_noise(x_0, self.generator)
        told = {"label": model.heard(batch)} if model.is_told else {}
        t = t.to(model.device)
        return model.loss(model.denoiser, x_0, t, eps, **told) * model.weighting(model.denoiser, t)


def known(losses: Losses, steps: int, memory: int, batch: int) -> LossSecondMoment:
    """The losses of every timestep, `memory` of each."""
    found = LossSecondMoment(steps, memory)
    for t in torch.arange(1, steps + 1).repeat(memory).split(4 * batch):
        with torch.no_grad():
            found.observe(t, losses.at(t).cpu())
    return found


def noise(losses: Losses, chosen: Chosen, batches: int, batch: int) -> float:
    """Of the gradients of so many batches."""
    parameters = [p for p in losses.model.parameters() if p.requires_grad]
    total: Any = 0.0
    squares = 0.0
    for _ in range(batches):
        t, weights = chosen(batch, losses.generator)
        loss = (weights.to(losses.model.device) * losses.at(t)).mean()
        parts = torch.autograd.grad(loss, parameters, allow_unused=True)
        g = torch.cat([part.flatten() for part in parts if part is not None]).double()
        total, squares = total + g, squares + float(g.square().sum())
    mean = float((total / batches).square().sum())
    return (squares / batches - mean) * batches / (batches - 1)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", default="pretrained/mnist_unet")
    parser.add_argument("--loss", help="simple, hybrid or vlb; left out, the run's own")
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--memory", type=int, default=10, help="losses known of each timestep")
    parser.add_argument("--seed", type=int, default=0)
    options, words = parser.parse_known_args(arguments)
    run, hardware = open_run(options.run), choose_hardware()
    loss = [f"model.loss={options.loss}"] if options.loss else []
    config = apply_overrides(run.read_config(), [*loss, *words])
    data: Any = build_data(config)
    data.setup()
    model: Any = load_model(run, config=config).to(hardware.device)
    steps = model.denoiser.schedule.steps
    seen = known(Losses(model, data, options.seed), steps, options.memory, options.batch)
    ways: dict[str, Chosen] = {
        "independent": lambda n, g: (uniform_timesteps(n, steps, g), torch.ones(n)),
        "stratified": lambda n, g: (shuffled_timesteps(n, steps, g), torch.ones(n)),
        "importance": seen.draw,
    }
    rows, first = Rows(["timesteps", "noise", "of the first row's"], [11, 6]), 0.0
    for name, chosen in ways.items():
        found = noise(Losses(model, data, options.seed + 1), chosen, options.batches, options.batch)
        first = first or found
        rows.add(name, f"{found:.3g}", f"{found / first:.3f}")


if __name__ == "__main__":
    main()

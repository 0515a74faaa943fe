"""Images per second of a UNet's training step, ours beside those of two other libraries.

32 x 32 x 1 images, batch 64, base 64, multipliers 1-2-2, 5 to 6 million parameters: forward, mean
square error, backward and an Adam step. Contenders take turns, round after round, so that a busy
moment of the machine meets all of them; the fastest round counts.

    pip install 'diffstn[peers]'      (optional: absent libraries are left out)
    python benchmarks/train_step.py [--rounds 3] [--steps 1] [--seconds 120]
"""

import argparse
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from unets import CHANNELS, SIDE, Contender, compare, contenders


class Training:
    """One training step of a contender on noise."""

    def __init__(self, contender: Contender, batch: int) -> None:
        self.contender = contender
        self.network = contender.network.train()
        fused = next(self.network.parameters()).is_cpu
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4, fused=fused)
        self.x = torch.randn(batch, CHANNELS, SIDE, SIDE)
        self.target = torch.randn(batch, CHANNELS, SIDE, SIDE)
        self.t = torch.randint(1, 1000, (batch,))

    def __call__(self) -> None:
        self.optimizer.zero_grad()
        with self.contender.precision():
            answer = self.contender(self.x, self.t)
        F.mse_loss(answer.float(), self.target).backward()
        self.optimizer.step()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="at most")
    parser.add_argument("--steps", type=int, default=1, help="steps of a round")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=120, help="begin no round after")
    options = parser.parse_args(arguments)
    found = contenders()
    works = [Training(one, options.batch) for one in found]
    compare("training", found, works, options.batch, options.rounds, options.steps, options.seconds)


if __name__ == "__main__":
    main()

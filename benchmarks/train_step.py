"""Images per second of a UNet's training step, ours beside those of two other libraries.

32 x 32 x 1 images, batch 64, base 64, multipliers 1-2-2, 5 to 6 million parameters: forward, mean
square error, backward and an Adam step. Contenders take turns, round after round, so that a busy
moment of the machine meets all of them; the fastest round counts.

    pip install diffusers denoising-diffusion-pytorch      (optional: absent ones are left out)
    python benchmarks/train_step.py [--rounds 3] [--steps 3]
"""

import argparse

import torch
import torch.nn.functional as F
from unets import CHANNELS, SIDE, Contender, contenders, fastest, report


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="steps of a round")
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    steps = [Training(one, arguments.batch) for one in contenders()]
    seconds = fastest(steps, arguments.rounds, arguments.steps)
    report("training", steps, [arguments.batch / s for s in seconds])


if __name__ == "__main__":
    main()

"""Images per second of a UNet's forward pass, one step of sampling; see train_step.py.

python benchmarks/sampling.py [--rounds 3] [--steps 2] [--seconds 120]
"""

import argparse
from collections.abc import Sequence

import torch
from unets import CHANNELS, SIDE, Contender, compare, contenders


class Forward:
    """One call of a contender without gradients."""

    def __init__(self, contender: Contender, batch: int) -> None:
        self.contender = contender
        self.network = contender.network.eval()
        self.x = torch.randn(batch, CHANNELS, SIDE, SIDE)
        self.t = torch.randint(1, 1000, (batch,))

    @torch.inference_mode()
    def __call__(self) -> None:
        with self.contender.precision():
            self.contender(self.x, self.t)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="at most")
    parser.add_argument("--steps", type=int, default=2, help="calls of a round")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=120, help="begin no round after")
    options = parser.parse_args(arguments)
    found = contenders()
    works = [Forward(one, options.batch) for one in found]
    compare("forward", found, works, options.batch, options.rounds, options.steps, options.seconds)


if __name__ == "__main__":
    main()

"""Images per second of a UNet's forward pass, one step of sampling; see train_step.py.

python benchmarks/sampling.py [--rounds 3] [--steps 5]
"""

import argparse

import torch
from unets import CHANNELS, SIDE, Contender, contenders, fastest, report


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5, help="calls of a round")
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    calls = [Forward(one, arguments.batch) for one in contenders()]
    seconds = fastest(calls, arguments.rounds, arguments.steps)
    report("forward", calls, [arguments.batch / s for s in seconds])


if __name__ == "__main__":
    main()

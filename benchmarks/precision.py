"""bf16 against fp32 on this machine: images per second of training, and accuracy, in one run.

Trains the end-to-end CNN (the pose models' encoder) on distorted digits twice from the same seed,
once in each precision, in alternating blocks of steps so that a machine whose speed drifts treats
both alike, and then measures both on 5000 validation digits.

    python benchmarks/precision.py [--steps 400] [--batch 256]
"""

import argparse
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from diffstn.runs.assembly import Assembly
from diffstn.runs.command import plain_config
from diffstn.runs.overrides import composed

from diffstn.hardware import choose_hardware
from diffstn.store.markdown import markdown

CONF = Path(__file__).parents[1] / "conf"
BLOCK = 20


class Contestant:
    """One network, its optimiser and its precision."""

    def __init__(self, precision: str, batch: int, steps: int) -> None:
        torch.manual_seed(0)
        config = plain_config(
            composed(CONF, "train", ["experiment=baseline/end_to_end", f"data.batch_size={batch}"]),
            {},
        )
        assembly = Assembly(config)
        self.data = assembly.data
        self.network = assembly.model.network.train()
        self.precision = precision
        self.hardware = choose_hardware(precision=precision)
        self.network.to(self.hardware.device)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), 2e-3)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, 2e-3, total_steps=steps, pct_start=0.15
        )
        self.batch = batch
        self.seconds = 0.0
        self.steps = 0

    def train(self, steps: int) -> None:
        """Do `steps` steps; count their time but the first block's, which warms up."""
        torch.manual_seed(1000 + self.steps)
        size = len(self.data.split("train").labels)
        start = time.perf_counter()
        for _ in range(steps):
            batch = self.data.batch(
                "train", torch.randint(size, (self.batch,)), self.hardware.device
            )
            with self.hardware.autocast():
                logits = self.network(batch.image)
            loss = F.cross_entropy(logits.float(), batch.label)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
        if self.hardware.device.type == "cuda":
            torch.cuda.synchronize()
        if self.steps:
            self.seconds += time.perf_counter() - start
        self.steps += steps

    @torch.inference_mode()
    def accuracy(self) -> float:
        """Percent of the validation digits."""
        self.network.eval()
        right = total = 0
        for batch in self.data.batches("val", device=self.hardware.device):
            with self.hardware.autocast():
                right += int((self.network(batch.image).argmax(1) == batch.label).sum())
            total += len(batch.label)
        return 100 * right / total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=256)
    arguments = parser.parse_args()
    steps = max(2 * BLOCK, arguments.steps - arguments.steps % BLOCK)
    both = [Contestant(p, arguments.batch, steps) for p in ("fp32", "bf16")]
    for _ in range(steps // BLOCK):
        for contestant in both:
            contestant.train(BLOCK)
    speeds = [(c.steps - BLOCK) * c.batch / c.seconds for c in both]
    print(both[0].hardware.reason.split(";")[0])
    print(
        markdown(
            ["precision", "images/s", "ratio", "val accuracy %"],
            [
                [c.precision, f"{speed:.0f}", f"{speed / speeds[0]:.2f}", f"{c.accuracy():.2f}"]
                for c, speed in zip(both, speeds, strict=True)
            ],
        )
    )


if __name__ == "__main__":
    main()

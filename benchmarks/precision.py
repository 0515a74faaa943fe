"""bf16 against fp32 on this machine: images per second of training, and accuracy, in one run.

Trains the end-to-end CNN (the pose models' encoder) on distorted digits twice from the same seed,
once in each precision, in alternating blocks of steps so that a machine whose speed drifts treats
both alike, and then measures both on 5000 validation digits.

    python benchmarks/precision.py [--steps 400] [--batch 256]
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from rows import Rows

import diffstn
from diffstn.build import build
from diffstn.hardware import choose_hardware

BLOCK = 20


class Contestant:
    """One network, its optimiser and its precision."""

    def __init__(self, precision: str, batch: int, steps: int) -> None:
        torch.manual_seed(0)
        words = ["experiment=baseline/end_to_end", f"data.batch_size={batch}"]
        model: Any
        model, self.data, _ = build(diffstn.compose(words))
        self.network = model.network.train()
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

    @property
    def speed(self) -> float:
        """Images per second."""
        return (self.steps - BLOCK) * self.batch / self.seconds

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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--batch", type=int, default=256)
    options = parser.parse_args(arguments)
    steps = max(2 * BLOCK, options.steps - options.steps % BLOCK)
    fast = choose_hardware().precision == "bf16-mixed"
    found = [Contestant(p, options.batch, steps) for p in ("fp32", *(["bf16"] if fast else []))]
    where = found[0].hardware.reason.split(";")[0]
    print(where if fast else f"{where}; no bf16 here: fp32 alone")
    print(f"\nimages/s, the mean so far, of {steps} steps\n")
    rows = Rows(["steps", *(one.precision for one in found)], [5, *[6] * len(found)])
    for block in range(steps // BLOCK):
        for one in found:
            one.train(BLOCK)
        if block:
            rows.add(found[0].steps, *(f"{one.speed:.0f}" for one in found))
    print()
    rows = Rows(["precision", "images/s", "ratio", "val accuracy %"])
    for one in found:
        ratio = f"{one.speed / found[0].speed:.2f}"
        rows.add(one.precision, f"{one.speed:.0f}", ratio, f"{one.accuracy():.2f}")


if __name__ == "__main__":
    main()

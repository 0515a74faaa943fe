"""How fast do distorted digits reach a training step? Batches on one side, images on the other.

Compares torchvision's usual recipe, RandomAffine + ToTensor on one PIL image after the other in a
DataLoader, with our gather, draw and warp of whole batches: the same MNIST digits, the same ranges,
both bilinear, on the same CPU. The PIL images are made beforehand, so their making is not timed.
The contenders take turns, round after round, and the median of each counts: on a machine whose
speed drifts a single measurement says little. Run it on an idle machine all the same: a process
that competes for the cores slows a multi-threaded one most.

    python benchmarks/input_pipeline.py --rounds 9
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from diffstn.data.distortions import AffineDistortion
from diffstn.data.modules.distorted import DistortedData
from diffstn.data.sources.mnist import MNIST


class PILDigits(Dataset):
    """MNIST as torchvision serves it: a PIL image, distorted, then turned into a tensor."""

    def __init__(self, data: DistortedData) -> None:
        from torchvision import transforms

        to_pil = transforms.ToPILImage()
        images, labels = data.split("train")
        self.images = [to_pil(image) for image in images]
        self.labels = labels.tolist()
        self.distort = transforms.Compose(
            [
                transforms.RandomAffine(
                    45,
                    translate=(0.125, 0.125),
                    scale=(0.7, 1.2),
                    interpolation=transforms.InterpolationMode.BILINEAR,
                ),
                transforms.ToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.distort(self.images[index]), self.labels[index]


def images_per_second(batches: Iterator[Any], seconds: float, warm_up: int = 5) -> float:
    """Images per second of an endless iterator of batches, whose first item is the images."""
    for _ in range(warm_up):
        next(batches)
    images, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        images += len(next(batches)[0])
    return images / elapsed


def epochs(one: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """Epoch after epoch without end."""
    return chain.from_iterable(one() for _ in repeat(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="per measurement")
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each contender")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2, help="of our process")
    options = parser.parse_args()

    data = DistortedData(MNIST(), AffineDistortion(), batch_size=options.batch_size)
    digits = PILDigits(data)
    indices = data.train_dataloader()
    torch.set_num_threads(options.threads)

    def torchvision(workers: int) -> Iterator[Any]:
        loader = DataLoader(
            digits,
            options.batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
        )
        return epochs(lambda: loader)

    contenders = {
        "torchvision, no workers": torchvision(0),
        "torchvision, 2 workers": torchvision(2),
        "diffstn": epochs(lambda: (data.batch("train", batch) for batch in indices)),
    }
    rounds = [
        {name: images_per_second(batches, options.seconds) for name, batches in contenders.items()}
        for _ in range(options.rounds)
    ]
    print(f"{'MNIST, batches of ' + str(options.batch_size):25}{'images/s':>11}   range")
    for name in contenders:
        speeds = [speed[name] for speed in rounds]
        spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
        print(f"{name:25}{statistics.median(speeds):11,.0f}   {spread}")
    for name in list(contenders)[:-1]:
        ratios = [speed["diffstn"] / speed[name] for speed in rounds]
        print(
            f"diffstn against {name}: {statistics.median(ratios):.1f} × faster"
            f" ({min(ratios):.1f} to {max(ratios):.1f})"
        )


if __name__ == "__main__":
    main()

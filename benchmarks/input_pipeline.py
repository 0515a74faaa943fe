"""How fast do distorted digits reach a training step? Batches on one side, images on the other.

Compares torchvision's usual recipe, RandomAffine + ToTensor on one PIL image after the other in a
DataLoader, with our gathering and warping of whole batches: the same MNIST digits, the same ranges,
both bilinear, on the same CPU. The PIL images are made beforehand, so their making is not timed.
The contenders take turns, a row for each round, and the median of each counts: on a machine whose
speed drifts a single measurement says little. Run it on an idle machine all the same: a process
that competes for the cores slows a multi-threaded one most.

    python benchmarks/input_pipeline.py --rounds 9
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import torch
from rows import Rows
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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="per measurement")
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each contender")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2, help="of our process")
    options = parser.parse_args(arguments)

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
    names = list(contenders)
    others = names[:-1]
    print(f"MNIST, batches of {options.batch_size}, images per second\n")
    rows = Rows(["round", *names, *(f"x {name}" for name in others)], [7])
    found: list[dict[str, float]] = []
    for number in range(1, options.rounds + 1):
        speed = {n: images_per_second(b, options.seconds) for n, b in contenders.items()}
        found.append(speed)
        ratios = (f"{speed['diffstn'] / speed[name]:.1f}" for name in others)
        rows.add(number, *(f"{speed[name]:,.0f}" for name in names), *ratios)
    for word, of in (("lowest", min), ("median", statistics.median), ("highest", max)):
        speeds = (f"{of([one[name] for one in found]):,.0f}" for name in names)
        ratios = (f"{of([one['diffstn'] / one[name] for one in found]):.1f}" for name in others)
        rows.add(word, *speeds, *ratios)


if __name__ == "__main__":
    main()

"""Many items from a generative model, the same whatever the batch size."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Generator, Tensor

from diffstn.data.batches import keyed_generator
from diffstn.models.generates import Generates
from diffstn.ranks import in_order
from diffstn.tasks.batches import batch_noise, progress

Answer = TypeVar("Answer")

BLOCK = 1024
"""Images whose noise is made at once, so that with a deterministic sampler the batch size does not
matter."""


def sampled_items(
    model: Generates,
    labels: Tensor,
    generator: Generator,
    batch_size: int,
    description: str = "sampling",
) -> Tensor:
    """As many items as there are labels, on the CPU; processes share the work.

    The noise of all of them comes first, so that with a deterministic sampler the batch size does
    not matter. An unconditional model samples what it likes.
    """
    noise = torch.randn((len(labels), *model.noise_shape), generator=generator)
    seed = int(torch.randint(2**31, (), generator=generator))

    def made(rows: Tensor) -> Tensor:
        label = labels[rows] if model.conditional else None
        return model.generate(noise[rows], label, batch_noise(seed, int(rows[0]))).cpu()

    found = []
    with progress(len(labels), description, "item") as bar:
        for some in in_order(torch.arange(len(labels)).split(batch_size), made):
            found.append(some)
            bar.update(len(some))
    return torch.cat(found)


def sampled_images(
    model: Generates,
    labels: Tensor,
    seed: int,
    batch_size: int,
    look: Callable[[Tensor], Answer],
) -> Iterator[tuple[Answer, Tensor]]:
    """What `look` sees in batches of images, and their labels (B,); processes share the work.

    A model that hears no label samples what it likes.

    Args:
        look: images (B, C, H, W) in [0, 1] on the model's device → tensors on the CPU.
    """
    kept: dict[int, Tensor] = {}

    def noise(block: int) -> Tensor:
        if block not in kept:
            kept.clear()
            size = min(BLOCK, len(labels) - block * BLOCK)
            own = keyed_generator(seed, 8, block)
            kept[block] = torch.randn((size, *model.noise_shape), generator=own)
        return kept[block]

    def seen(rows: Tensor) -> Answer:
        first = int(rows[0])
        x_T = noise(first // BLOCK)[rows % BLOCK]
        label = labels[rows] if model.hears_label else None
        return look(model.generate(x_T, label, batch_noise(seed, first)))

    blocks = torch.arange(len(labels)).split(BLOCK)
    parts = [rows for block in blocks for rows in block.split(batch_size)]
    with progress(len(labels), "sampling", "image") as bar:
        for rows, answer in zip(parts, in_order(parts, seen), strict=True):
            yield answer, labels[rows]
            bar.update(len(rows))


def no_labels(samples: int) -> Tensor:
    """-1 for each of so many samples that were asked for no class."""
    return torch.full((samples,), -1)


def labels_like(data: Any, samples: int, seed: int) -> Tensor:
    """So many labels, in the proportions of the training items."""
    labels = data.labels("train").cpu()
    generator = keyed_generator(seed, 7)
    return labels[torch.randint(len(labels), (samples,), generator=generator)]

"""Many items from a generative model, the same whatever the batch size."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from diffstn.data.batches import keyed_generator
from diffstn.models.generates import Generates

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
    """As many items as there are labels, on the CPU.

    The noise of all of them comes first, so that with a deterministic sampler the batch size does
    not matter. An unconditional model samples what it likes.
    """
    made = []
    noise = torch.randn((len(labels), *model.noise_shape), generator=generator)
    with tqdm(total=len(labels), desc=description, unit="item", disable=None) as bar:
        for some, x_T in zip(labels.split(batch_size), noise.split(batch_size), strict=True):
            label = some if model.conditional else None
            made.append(model.generate(x_T, label, generator).cpu())
            bar.update(len(some))
    return torch.cat(made)


def sampled_images(
    model: Generates, labels: Tensor, seed: int, batch_size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of images in [0, 1] on the model's device and their labels (B,).

    A model that hears no label samples what it likes.
    """
    generator = Generator().manual_seed(seed)  # of the sampler; x_T has generators of its own
    item = model.noise_shape
    with tqdm(total=len(labels), desc="sampling", unit="image", disable=None) as bar:
        for number, block in enumerate(labels.split(BLOCK)):
            own = keyed_generator(seed, 8, number)
            noise = torch.randn((len(block), *item), generator=own)
            for some, x_T in zip(block.split(batch_size), noise.split(batch_size), strict=True):
                label = some if model.hears_label else None
                yield model.generate(x_T, label, generator), some
                bar.update(len(some))


def no_labels(samples: int) -> Tensor:
    """-1 for each of so many samples that were asked for no class."""
    return torch.full((samples,), -1)


def labels_like(data: Any, samples: int, seed: int) -> Tensor:
    """So many labels, in the proportions of the training items."""
    labels = data.labels("train").cpu()
    generator = keyed_generator(seed, 7)
    return labels[torch.randint(len(labels), (samples,), generator=generator)]

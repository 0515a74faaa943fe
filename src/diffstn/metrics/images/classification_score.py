"""What a classifier learns from images that were generated."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.networks.classifiers.classifier import Classifier
from diffstn.networks.encoders.pool import PoolEncoder

WIDTHS = (16, 32, 64)


def classification_score(
    images: Tensor,
    labels: Tensor,
    classes: int,
    test: Iterable[tuple[Tensor, Tensor]],
    seed: int = 0,
    epochs: int = 4,
    batch_size: int = 128,
    lr: float = 2e-3,
) -> float:
    """Accuracy on real images, from 0 to 1, of a small classifier that has seen the given alone.

    Samples that miss their class, or all look alike, teach less than as many real images. The
    network is that of the shipped judges, trained with AdamW on one cycle of the learning rate. It
    is float32 throughout, on the images' device.

    Args:
        images: (N, C, H, W) in [0, 1].
        labels: (N,).
        classes: how many there are.
        test: batches of real images and their labels, on the same device.
        seed: of the weights, the order and the drop-out.
        epochs, batch_size, lr: of the training.

    Raises:
        ValueError: fewer images than two, which a batch norm needs.

    Source: Ravuri and Vinyals, Classification Accuracy Score for Conditional Generative Models,
    2019.
    """
    if len(images) < 2:
        raise ValueError("a classification accuracy score needs two images or more")
    device = images.device
    size = min(batch_size, len(images))
    steps = len(images) // size
    forked = [device] if device.type == "cuda" else []
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast(device.type, enabled=False),
        torch.random.fork_rng(forked),
    ):
        torch.manual_seed(seed)
        network = Classifier(PoolEncoder(images.shape[1], widths=WIDTHS), classes).to(device)
        network = network.to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(network.parameters(), lr, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, epochs * steps)
        for _ in range(epochs):
            order = torch.randperm(len(images))
            for rows in order[: steps * size].split(size):
                image, label = images[rows].clone().float(), labels[rows].clone().to(device)
                loss = F.cross_entropy(network(image), label)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        network.eval()
        right = count = 0
        with torch.no_grad():
            for image, label in test:
                right += int((network(image.float()).argmax(1) == label).sum())
                count += len(label)
    return right / count

"""The peer `equiadapt`: canonicalisers of rotations, trained by their own recipe.

    pip install --target FOLDER --no-deps equiadapt==0.1.2 e2cnn kornia kornia_rs
    rm -r FOLDER/tests FOLDER/examples FOLDER/docs FOLDER/tutorials FOLDER/utils
    PYTHONPATH=FOLDER python benchmarks/correctors.py

The wheel of 0.1.2 brings packages named `tests` and `examples`, which hide those of other projects:
that is why it is no extra of ours. Tried with e2cnn 0.2.3 and kornia 0.9.0, on torch 2.14 and
NumPy 2.4, as they are.

A canonicaliser answers an image with an element of a group of rotations, and turns the image back
by it. It is trained on *upright* images: L = cross-entropy of the frozen judge on what it turned
+ 100 · the prior's loss, which asks for the identity; of the optimised ones + a weight · their own
loss. What it does to turned images follows from its network's equivariance, or, of the optimised
ones, from turned copies that it makes itself. Weights, AdamW at 10⁻³ and batches of 128 are those
of equiadapt's examples/images/classification.

- `group`: C_8, an equivariant network (e2cnn). The example is 32 channels wide, which for eight
  rotations takes 8 to 16 seconds a step on one core; `channels` is ours to choose.
- `opt_group`: C_8 by the cosine of a plain CNN's answer, to every turn of the image, with a
  reference vector.
- `opt_steerable`: any rotation, as a vector that a plain CNN answers. Its steerable one of e2cnn
  cannot be made: 0.1.2 asks e2cnn for `FourierELU`, which only escnn has. The example has no weight
  for its loss; without any, a CNN that saw upright images alone would answer with the identity
  always. We weigh it as the prior, which is a mean-square error of rotation matrices too.

The CNN of three layers has kernels of 3, not 5 or 7, for 28 pixels are as many as are left of them.

"Equivariance with Learned Canonicalization Functions", Kaba et al., 2023; "Equivariant Adaptation
of Large Pretrained Models", Mondal et al., 2023; "Improved Canonicalization for Model Agnostic
Equivariance", Panigrahi and Mondal, 2024.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.hardware import Hardware

ROTATIONS = 8
RATE, BATCH, PRIOR = 1e-3, 128, 100.0
OWN = {"opt_group": 1e-4, "opt_steerable": PRIOR}
"""Weights of the optimised ones' own loss."""
KINDS = ("group", *OWN)


class Trained(NamedTuple):
    """A canonicaliser, how long it has learned, and in how many steps."""

    canonicaliser: Any
    seconds: float
    steps: int


class InHalf(nn.Module):
    """A network in the precision of the hardware, as our models train; the warps beside it are not.

    Shapes: those of the network, float32.
    """

    def __init__(self, network: nn.Module, hardware: Hardware) -> None:
        super().__init__()
        self.network, self.hardware = network, hardware
        for name in ("group_type", "num_rotations", "out_vector_size"):  # canonicalisers read them
            if hasattr(network, name):
                setattr(self, name, getattr(network, name))

    def forward(self, images: Tensor) -> Tensor:
        with self.hardware.autocast():
            return self.network(images).float()


def why_not() -> str:
    """What is missing, in a line; empty if nothing is."""
    try:
        import equiadapt  # noqa: F401
    except ImportError as error:
        return f"equiadapt is not installed ({error})"
    return ""


def made(kind: str, shape: tuple[int, int, int], channels: int, hardware: Hardware) -> Any:
    """A new canonicaliser of images of this shape (C, H, W)."""
    from equiadapt.images.canonicalization import continuous_group, discrete_group
    from equiadapt.images.canonicalization_networks import ConvNetwork, ESCNNEquivariantNetwork
    from omegaconf import OmegaConf

    settings = OmegaConf.create(
        {
            "beta": 1.0,
            "input_crop_ratio": 0.8,
            "resize_shape": shape[-1],
            "group_type": "rotation",
            "num_rotations": ROTATIONS,
            "learn_ref_vec": False,
            "artifact_err_wt": 0,
        }
    )
    if kind == "group":
        network = ESCNNEquivariantNetwork(shape, channels, 5, "rotation", ROTATIONS, num_layers=3)
        of = discrete_group.GroupEquivariantImageCanonicalization
    else:
        numbers = 128 if kind == "opt_group" else 4
        network = ConvNetwork(shape, 16, 3, num_layers=3, out_vector_size=numbers)
        of = (
            discrete_group.OptimizedGroupEquivariantImageCanonicalization
            if kind == "opt_group"
            else continuous_group.OptimizedSteerableImageCanonicalization
        )
    return of(InHalf(network, hardware), settings, shape).to(hardware.device)


def batches(data: Any, seed: int, device: torch.device) -> Iterator[Any]:
    """Upright training images and their labels, epoch after epoch."""
    loader, epoch = data.loader("train", BATCH, shuffle=True, drop_last=True), seed << 16
    while True:
        loader.set_epoch(epoch)
        for rows in loader:
            yield data.batch("train", rows, device)
        epoch += 1


def trained(
    path: Path,
    kind: str,
    data: Any,
    judge: nn.Module,
    hardware: Hardware,
    *,
    seconds: float,
    seed: int,
    channels: int,
) -> Trained:
    """The canonicaliser whose weights lie at `path`, trained for so long if they do not.

    Args:
        data: of upright images, read.
        judge: the frozen classifier, of images to logits.
        seconds: of training; one step is made in any case.
    """
    torch.manual_seed(seed)
    model = made(kind, (data.channels, *data.size), channels, hardware)
    told = path.with_suffix(".json")
    if told.exists():
        model.load_state_dict(torch.load(path, weights_only=True, map_location=hardware.device))
        return Trained(model.eval(), **json.loads(told.read_text()))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    steps, begin, upright = 0, time.perf_counter(), batches(data, seed, hardware.device)
    while not steps or time.perf_counter() - begin < seconds:
        batch = next(upright)
        turned = model(batch.image)
        with hardware.autocast():
            logits = judge(turned)
        loss = F.cross_entropy(logits.float(), batch.label)
        loss = loss + PRIOR * model.get_prior_regularization_loss()
        if kind in OWN:
            loss = loss + OWN[kind] * model.get_optimization_specific_loss()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    spent = {"seconds": time.perf_counter() - begin, "steps": steps}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), path)
    told.write_text(json.dumps(spent))
    return Trained(model.eval(), spent["seconds"], steps)

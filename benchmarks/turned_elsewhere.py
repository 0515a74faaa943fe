"""Digits that other programs turned: does a corrector mind whose pixels it is given?

    python benchmarks/turned_elsewhere.py [--run pretrained/diff_in_stn_full] [--limit 10000]
        [--hypotheses 1,16]

The same test digits at the same angles, anywhere on the circle, are turned by our own warp, by
Pillow and by SciPy, with the kernels that each offers, in bytes as an image file would hold them.
Rows say how many of them the judge reads right after `correct`, in per cent, and by how many
points that is more or less than of our own bilinear ones.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence

import torch
from PIL import Image
from rows import Rows
from scipy import ndimage
from torch import Tensor

import diffstn
from diffstn.data.sources.mnist import load_mnist
from diffstn.spatial import affine_matrix, warp

Turn = Callable[[Tensor, Tensor], Tensor]
"""Images (B, 1, 28, 28) in bytes and degrees (B,) → turned images in bytes."""
AT_ONCE = 500


def ours(kernel: str) -> Turn:
    def turn(images: Tensor, degrees: Tensor) -> Tensor:
        A = affine_matrix(degrees.deg2rad()).flatten(1)
        turned = warp(images / 255, A, kernel=kernel).clamp(0, 1)
        return (turned * 255).round().byte()

    return turn


def pillow(kernel: Image.Resampling) -> Turn:
    def turn(images: Tensor, degrees: Tensor) -> Tensor:
        turned = [
            Image.fromarray(image[0].numpy()).rotate(angle, resample=kernel)
            for image, angle in zip(images, degrees.tolist(), strict=True)
        ]
        pixels = [torch.frombuffer(bytearray(one.tobytes()), dtype=torch.uint8) for one in turned]
        return torch.stack(pixels).view_as(images)

    return turn


def scipy(order: int) -> Turn:
    def turn(images: Tensor, degrees: Tensor) -> Tensor:
        turned = [
            torch.from_numpy(
                ndimage.rotate(image[0].float().numpy(), angle, reshape=False, order=order)
            )
            for image, angle in zip(images, degrees.tolist(), strict=True)
        ]
        return torch.stack(turned)[:, None].clamp(0, 255).round().byte()

    return turn


def programs() -> Iterator[tuple[str, Turn]]:
    """Names and turns; ours, bilinear, comes first."""
    for kernel in ("bilinear", "bicubic", "nearest"):
        yield f"ours, {kernel}", ours(kernel)
    for resampling in (
        Image.Resampling.BILINEAR,
        Image.Resampling.BICUBIC,
        Image.Resampling.NEAREST,
    ):
        yield f"Pillow, {resampling.name.lower()}", pillow(resampling)
    for order in (1, 3):
        yield f"SciPy, order {order}", scipy(order)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="pretrained/diff_in_stn_full")
    parser.add_argument("--limit", type=int, default=10_000)
    parser.add_argument("--hypotheses", default="1,16")
    asked = parser.parse_args(words)
    model = diffstn.load(asked.run)
    digits = load_mnist()["test"].first(asked.limit)
    generator = torch.Generator().manual_seed(0)
    degrees = 360 * torch.rand(len(digits.labels), generator=generator)
    counts = [int(k) for k in asked.hypotheses.split(",")]
    rows = Rows(
        ("turned by", *(f"k = {k} %" for k in counts), *(f"k = {k} beside ours" for k in counts)),
        (18, *[9 for _ in counts], *[18 for _ in counts]),
    )
    first: list[float] = []
    for name, turn in programs():
        right = torch.zeros(len(counts))
        for at in torch.arange(len(degrees)).split(AT_ONCE):
            turned = turn(digits.items[at], degrees[at])
            for place, k in enumerate(counts):
                read = model.correct(turned, hypotheses=k).probabilities.argmax(dim=1)
                right[place] += (read == digits.labels[at]).sum()
        shares = (100 * right / len(degrees)).tolist()
        first = first or shares
        beside = [f"{share - own:+.2f}" for share, own in zip(shares, first, strict=True)]
        rows.add(name, *(f"{share:.2f}" for share in shares), *beside)


if __name__ == "__main__":
    main()

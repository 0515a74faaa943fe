"""Does a digit's place on the canvas give its angle away?

    python benchmarks/half_pixel.py

MNIST centres the mass of a digit on the corner of four pixels, half a pixel to the right of the
middle of the canvas and half a pixel below it. Turned about the middle, the mass goes round with
the digit: its direction, less that of upright digits, is the angle. Rows say how far this guess is
off for test digits, in degrees, the median, and for what share of them it is on the right side of
the circle, which is all it takes to tell a 6 from a 9. By chance: 90 degrees and 50 %.
"""

import torch
from rows import Rows
from torch import Tensor

from diffstn.data.distortions import AffineDistortion, Distortion
from diffstn.data.sources.mnist import load_mnist
from diffstn.spatial import as_matrix, decompose, moment_frame


def direction(images: Tensor) -> Tensor:
    """Of the centre of mass from the middle of the canvas, radians, (B,)."""
    frame = moment_frame(images)
    return torch.atan2(frame[:, 5], frame[:, 2])


def wrapped(angle: Tensor) -> Tensor:
    """The same angle in ±π."""
    return torch.atan2(angle.sin(), angle.cos())


def main() -> None:
    digits = {part: split.items.float() / 255 for part, split in load_mnist().items()}
    upright = direction(digits["train"])
    mean = torch.atan2(upright.sin().mean(), upright.cos().mean())
    turned: dict[str, Distortion] = {
        "turned by any angle": AffineDistortion(180, (1, 1), True, 0, 0.0),
        "and shifted by up to 1 px": AffineDistortion(180, (1, 1), True, 0, 1 / 14),
        "full": AffineDistortion(180),
    }
    rows = Rows(("test digits", "median °", "right side %"), (26,))
    for name, distortion in turned.items():
        A = distortion.draw(len(digits["test"]), (28, 28), torch.Generator().manual_seed(0))
        guess = direction(distortion.distort(digits["test"], A)) - mean
        off = wrapped(guess - decompose(as_matrix(A)).rotation).abs().rad2deg()
        rows.add(name, f"{off.median():.0f}", f"{100 * (off < 90).float().mean():.1f}")


if __name__ == "__main__":
    main()

"""The same writing in other ink, on other paper and smaller: does a corrector mind?

    python benchmarks/inks.py [--run pretrained/diff_in_stn_full] [--limit 1000]

The first test digits of the run's own distortion, one pose each, in bytes as an image file would
hold them. Columns say how many the judge reads right, in per cent, after `correct`, which measures
ink and paper (`models/ink.py`), and after the model alone, which takes light ink on black for
granted. Shaded paper falls from 0.8 to 0.6 from left to right, with grain of a standard deviation
of 0.03; its ink is at 0.15. The last rows have the same pixels in the middle of a wider image.
"""

import argparse
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from rows import Rows
from torch import Tensor

import diffstn
from diffstn.build import build_data
from diffstn.store.run_folder import open_run

FAINT = 0.43
AT_ONCE = 500


def shaded(images: Tensor) -> Tensor:
    """Dark ink on a photographed sheet."""
    paper = torch.linspace(0.8, 0.6, images.shape[-1])
    grain = 0.03 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return paper + (0.15 - paper) * images + grain


def within(times: int) -> Callable[[Tensor], Tensor]:
    """In the middle of an image that is so many times as wide and high."""

    def put(images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        down, across = ((times - 1) * side // 2 for side in (height, width))
        return F.pad(images, (across, across, down, down))

    return put


WRITTEN: dict[str, Callable[[Tensor], Tensor]] = {
    "light on black": lambda images: images,
    f"{FAINT} as bright": lambda images: FAINT * images,
    "black on white": lambda images: 1 - images,
    "black on grey": lambda images: 0.48 - 0.43 * images,
    "white on grey": lambda images: 0.6 + 0.35 * images,
    "on shaded paper": shaded,
    "in twice the width": within(2),
    "in three times": within(3),
    "in four times": within(4),
}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="pretrained/diff_in_stn_full")
    parser.add_argument("--limit", type=int, default=1000)
    asked = parser.parse_args(words)
    model = diffstn.load(asked.run)
    data = build_data(open_run(asked.run).read_config())
    data.setup("test")
    batch = data.batch("test", torch.arange(asked.limit))
    rows = Rows(("written", "corrected, %", "without its ink, %"), (20,))
    for name, written in WRITTEN.items():
        images = (written(batch.image).clamp(0, 1) * 255).round().byte()
        right = torch.zeros(2)
        for at in torch.arange(len(images)).split(AT_ONCE):
            latents = model.sample_latents(len(at), 1, torch.Generator().manual_seed(0))
            found = [model.correct(images[at]).probabilities]
            if images.shape == batch.image.shape:
                with torch.inference_mode():
                    found.append(model(images[at] / 255, latents=latents).probabilities[:, 0])
            for place, read in enumerate(found):
                right[place] += (read.argmax(dim=1) == batch.label[at]).sum()
        shares = (100 * right / len(images)).tolist()[: len(found)]
        rows.add(name, *(f"{share:.1f}" for share in shares), *[""] * (2 - len(found)))


if __name__ == "__main__":
    main()

"""The same writing in other ink on other paper: does a corrector mind?

    python benchmarks/inks.py [--run pretrained/diff_in_stn_full] [--limit 1000]

The first test digits of the run's own distortion, one pose each, in bytes as an image file would
hold them. Columns say how many the judge reads right, in per cent, after `correct`, which measures
ink and paper (`models/ink.py`), and after the model alone, which takes light ink on black for
granted. Shaded paper falls from 0.8 to 0.6 from left to right, with grain of a standard deviation
of 0.03; its ink is at 0.15.
"""

import argparse
from collections.abc import Callable, Sequence

import torch
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


WRITTEN: dict[str, Callable[[Tensor], Tensor]] = {
    "light on black": lambda images: images,
    f"{FAINT} as bright": lambda images: FAINT * images,
    "black on white": lambda images: 1 - images,
    "on shaded paper": shaded,
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
            with torch.inference_mode():
                plain = model(images[at] / 255, latents=latents).probabilities[:, 0]
            found = model.correct(images[at]).probabilities
            for place, read in enumerate((found, plain)):
                right[place] += (read.argmax(dim=1) == batch.label[at]).sum()
        rows.add(name, *(f"{share:.1f}" for share in (100 * right / len(images)).tolist()))


if __name__ == "__main__":
    main()

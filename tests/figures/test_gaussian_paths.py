"""The figure of trajectories says what fits and what does not."""

from pathlib import Path

import torch
from PIL import Image

from diffstn.figures.gaussian_paths import Fit, Walk, gaussian_paths
from diffstn.figures.style import WRONG


def test_a_fit_reads_well():
    assert Fit("x", 0, 1, 0.0123, 0.456).text == "x: KS 0.0123, p = 0.46"
    assert Fit("x", 0, 1, 0.5, 1e-9).text == "x: KS 0.5000, p < 0.005"


def test_what_does_not_fit_is_vermillion(tmp_path: Path):
    generator = torch.Generator().manual_seed(0)
    paths = torch.randn(11, 200, generator=generator, dtype=torch.float64).cumsum(0)

    def plotted(p: float) -> set[tuple[int, int, int]]:
        walk = Walk("forward", paths[:, :20], paths[-1], Fit("$x_T$", 0.0, 10.0, 0.1, p), False)
        file = gaussian_paths([("constant", [walk, walk])], tmp_path / f"{p}.png")
        image = Image.open(file).convert("RGB")
        assert image.width > image.height
        return {colour for _, colour in image.getcolors(1 << 24)}

    def orange(colours: set[tuple[int, int, int]]) -> bool:
        return any(r > g + 60 > b + 60 for r, g, b in colours)

    assert WRONG in plotted(0.001)  # the title, in full
    assert orange(plotted(0.001))
    assert not orange(plotted(0.5))

from pathlib import Path

import matplotlib
import pytest
from PIL import Image

from diffstn.figures.plotted import plotted
from diffstn.figures.style import PLOT


def test_a_figure_has_our_style_its_size_and_a_folder(tmp_path: Path):
    before = matplotlib.rcParams["axes.grid"]
    with plotted(tmp_path / "new" / "plot.png", (3, 2), 50, axes__grid=False) as figure:
        assert matplotlib.rcParams["grid.linewidth"] == PLOT["grid.linewidth"]
        assert not matplotlib.rcParams["axes.grid"]
        figure.subplots().plot([0, 1], [1, 0])
    assert Image.open(tmp_path / "new" / "plot.png").size == (150, 100)
    assert matplotlib.rcParams["axes.grid"] == before


def test_nothing_is_written_of_what_fails(tmp_path: Path):
    with pytest.raises(KeyError), plotted(tmp_path / "plot.png", (3, 2)):
        raise KeyError("a curve")
    assert not (tmp_path / "plot.png").exists()

"""Reliability and risk, drawn."""

from pathlib import Path

import matplotlib.axes
import pytest
import torch
from PIL import Image

from diffstn.figures.how_sure import how_sure_page


def test_dots_and_curves_are_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    dots, curves = [], {}
    errorbar, plot = matplotlib.axes.Axes.errorbar, matplotlib.axes.Axes.plot
    monkeypatch.setattr(
        matplotlib.axes.Axes,
        "errorbar",
        lambda self, x, y, **told: dots.append((x, y)) or errorbar(self, x, y, **told),
    )
    monkeypatch.setattr(
        matplotlib.axes.Axes,
        "plot",
        lambda self, x, y, *a, **told: (
            curves.update({told.get("label"): (x, y)}) or plot(self, x, y, *a, **told)
        ),
    )
    confidence = torch.linspace(0.5, 1, 100)
    right = torch.ones(100).bool()
    right[:20] = False  # the least sure
    page = how_sure_page(confidence, right, tmp_path / "sure.png")
    assert Image.open(page).height > 300
    [(x, y)] = dots
    assert torch.equal(y.float(), torch.tensor([1.0] * 8 + [0.0] * 2))
    assert x[0] > x[-1]
    coverage, error = curves["measured"]
    assert float(coverage[-1]) == 100
    assert float(error[-1]) == pytest.approx(20)
    assert float(error[coverage <= 80].max()) == 0
    torch.testing.assert_close(error, curves["best possible"][1])  # none is surer and wrong


def test_too_few_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="give ten or more"):
        how_sure_page(torch.rand(9), torch.ones(9), tmp_path / "sure.png")

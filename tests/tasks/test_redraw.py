from pathlib import Path

import pytest
import torch
from torch import nn

from diffstn.errors import UserError

TINY = [
    "data.limit_train=64",
    *("network.width=8", "network.blocks=1", "network.head_features=8", "sampler.steps=2"),
]


@pytest.mark.parametrize("what", ["model=stn_in_diff", "experiment=paper/stn_in_diff"])
def test_it_is_judged_like_a_corrector_and_measured_against_upright_images(built, measure, what):
    parts = built(what, *TINY, tiny=False)
    metrics = measure(parts, hypotheses=(1, 2))
    assert set(metrics["k"]) == {"1", "2"}
    assert metrics["oracle"] > 90 > metrics["uncorrected"] > 10
    assert set(metrics["numbers"]) == {"accuracy k=1", "accuracy k=2", "uncorrected", "oracle"}
    as_is = metrics["images_as_is"]
    assert as_is["oracle"]["psnr_db"] > as_is["uncorrected"]["psnr_db"] > 5
    assert as_is["oracle"]["ssim"] > as_is["uncorrected"]["ssim"]
    assert -1 <= metrics["k"]["1"]["image"]["ssim"] <= 1
    table = parts.task.table(metrics)
    assert "PSNR dB" in table
    assert "corrected, k = 2" in table


@pytest.fixture
def redrawing(built):
    """An untrained model whose answers depend on image and latent."""
    parts = built("model=stn_in_diff", *TINY, "task.per_class=1", tiny=False)
    for module in parts.model.modules():
        if isinstance(module, nn.Conv2d) and not module.weight.any():
            nn.init.normal_(module.weight, std=0.05)
    parts.data.setup()
    parts.model.eval()
    return parts


def test_the_batch_size_changes_no_accuracy(redrawing, measure):
    one, other = (measure(redrawing, batch_size=size, limit=20) for size in (7, 20))
    assert one["accuracy"] == other["accuracy"]
    assert one["k"]["1"]["image"] == pytest.approx(other["k"]["1"]["image"], abs=0.01)
    assert one["protocol"] == {"split": "test", "images": 20}


def test_several_redrawings_are_averaged(redrawing, measure):
    """The mean of two noisy answers is nearer to the truth than one of them."""
    found = measure(redrawing, hypotheses=(1, 4), limit=20)["k"]
    assert found["4"]["image"]["psnr_db"] > found["1"]["image"]["psnr_db"]


def test_what_it_plots_and_keeps(redrawing, tmp_path: Path):
    with torch.inference_mode():
        found = dict(redrawing.task.plot(redrawing.model, redrawing.data, tmp_path))
    assert {path.name for path in found.values()} == {"corrected.png", "reverse_process.png"}
    assert all(path.stat().st_size > 3000 for path in found.values())
    kept = redrawing.task.to_keep(redrawing.model, redrawing.data, 3)
    assert kept.items.shape == (3, 1, 28, 28)
    assert 0 <= kept.items.min() <= kept.items.max() <= 1


def test_a_corrector_is_refused(built, redrawing):
    stn = built("model=stn")
    with pytest.raises(UserError, match="task=redraw is none for STN: it asks for model=stn_in"):
        redrawing.task.check(stn.model, stn.data)

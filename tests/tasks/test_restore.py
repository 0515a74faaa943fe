from pathlib import Path

import pytest
import torch
from torch import nn

from diffstn.cli.train import train_command
from diffstn.errors import UserError
from tests.conftest import SMALL

TINY = [
    *("network.width=8", "network.blocks=1", "network.head_features=8"),
    "process.steps=4",
]
GENERATE = ["task=generate_images", "task.samples=140", "task.track=0"]


@pytest.fixture
def restoring(built):
    """An untrained model whose answers depend on the image."""

    def make(*words):
        parts = built("model=cold", *TINY, *words, tiny=False)
        for module in parts.model.modules():
            if isinstance(module, nn.Conv2d) and not module.weight.any():
                nn.init.normal_(module.weight, std=0.02)
        parts.data.setup()
        return parts

    return make


def test_what_is_measured_of_every_start_and_every_way(restoring, measure, cache):
    parts = restoring("process=pixelate", "data.limit_test=140", "process.steps=2")
    found = measure(parts)
    assert list(found["restored"]) == ["1", "2"]
    for rows in found["restored"].values():
        assert list(rows) == ["degraded", "one step", "naive", "improved"]
        assert all(set(row) == {"psnr_db", "ssim", "FID"} for row in rows.values())
    half, whole = (found["restored"][t]["degraded"] for t in ("1", "2"))
    assert half["psnr_db"] > whole["psnr_db"]
    assert half["FID"] < whole["FID"]
    assert "FID improved t=2" in found["numbers"]
    assert found["protocol"] == {"split": "test", "images": 140, "features": "judge"}


def test_few_images_have_no_distance_and_the_batch_size_changes_nothing(restoring, measure):
    parts = restoring("process=turn")
    one, other = (measure(parts, at=(1.0,), limit=20, batch_size=size) for size in (20, 7))
    assert list(one["restored"]["4"]["improved"]) == ["psnr_db", "ssim"]
    for name, value in one["numbers"].items():
        assert other["numbers"][name] == pytest.approx(value, rel=1e-3)


def test_other_models_are_refused(restoring, built):
    parts = restoring()
    with pytest.raises(UserError, match="task=restore is none for STN: it asks for model=cold"):
        parts.task.check(built("model=stn").model, parts.data)


@pytest.mark.parametrize("process", ["blur", "turn"])
def test_a_run_from_the_command_line(workplace, cache, process, capfd):
    words = [*SMALL, "model=cold", f"process={process}", *TINY, "task.shown=3", "out=run"]
    assert train_command(words) == 0
    names = {"restored_2", "restored_4", "walks", *(["samples"] if process == "blur" else [])}
    made = {path.stem: path for path in Path("run/figures").glob("*.png")}
    assert names <= set(made)
    import diffstn

    model = diffstn.load("run")
    if process == "blur":
        assert model.process.end.root.any()  # fitted, and kept with the weights
        assert model.sample(2).shape == (2, 1, 28, 28)


def test_bad_input_is_one_line(workplace, cache, capfd):
    for words, says in (
        (["sampler=ddim"], "choose sampler=cold or sampler=cold_naive"),
        (["process.smallest=2"], "blur must grow"),
        (["process=turn", "process.scale=[-1.0,1.0]"], "scale is (smallest, largest)"),
        (["process=turn", "+process.foo=1"], "foo"),
        (["process=pixelate", "process.largest=1"], "pixels must grow"),
        (
            ["process=turn", *GENERATE],
            "ends in im",
        ),
        (["sampler.steps=21"], "cannot take 21 sampling steps"),
        (["sampler.spacing=log_snr"], "spacing=log_snr: Blur adds no noise"),
        (["task.at=[]"], "task.at=[]"),
        (["task.at=[2.0]"], "task.at"),
    ):
        known = [] if "sampler.steps=21" in words else TINY
        assert train_command([*SMALL, "model=cold", *known, *words, "out=bad"]) == 2
        said = capfd.readouterr().err
        assert says in said
        assert "Traceback" not in said


def test_what_it_plots_and_keeps(restoring, tmp_path):
    parts = restoring("process=pixelate", "task.shown=2")
    with torch.inference_mode():
        figures = dict(parts.task.plot(parts.model.eval(), parts.data, tmp_path))
        kept = parts.task.to_keep(parts.model, parts.data, 3)
    assert set(figures) == {"restored_2", "restored_4", "walks", "samples"}
    assert kept.items.shape == (3, 1, 28, 28)

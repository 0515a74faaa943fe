"""What one process and two come to: the same."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.tasks.follow_control import FollowControl
from diffstn.tasks.generate_clouds import GenerateClouds
from diffstn.tasks.generate_images import GenerateImages
from diffstn.tasks.redraw import Redraw
from tests.forked import Forked, two_ranks

TINY = [
    *("data.limit_train=64", "data.limit_val=40", "data.limit_test=40", "epochs=1"),
    *("optimizer=sgd", "optimizer.lr=0.01", "trainer.accelerator=cpu", "trainer.precision=fp32"),
]
SMALL = ["network.width=8", "network.blocks=1", "network.head_features=8", "sampler.steps=2"]
FAMILIES = {
    "diff_in_stn": ["encoder=fc", "task.hypotheses=[2]", "task.per_class=1"],
    "stn_in_diff": ["encoder=fc", *SMALL, "task.per_class=1"],
    "controlnet": [
        *("control=half", "sampler=ddim", "sampler.steps=2", "model.label_dropout=0.3"),
        *("data.limit_train=32", "data.limit_test=140", "task.batch_size=50"),
    ],
    "ddpm_unet": [
        *(*SMALL, "data.limit_train=300", "data.limit_test=300", "schedule.steps=20"),
        *("task.samples=140", "task.per_class=1", "task.track=130", "task.batch_size=50"),
        *("model.conditional=true", "task.likelihood=6"),
    ],
    "ddpm_sets": ["data=stars", "data.train=64", "data.val=32", "data.test=40", "data.points=16"],
}


def words(model: str, batch_size: int, eval_batch_size: int) -> list[str]:
    own = [word.split("=")[0] for word in FAMILIES[model]]
    drawn = "data=stars" in FAMILIES[model]
    tiny = [w for w in TINY if w.split("=")[0] not in own and not (drawn and "data.limit" in w)]
    sizes = [f"data.batch_size={batch_size}", f"data.eval_batch_size={eval_batch_size}"]
    return [f"model={model}", *tiny, *FAMILIES[model], *sizes]


def numbers(path: Path) -> Any:
    """All of a JSON file but times, and the words that asked for it."""

    def kept(content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        return {k: kept(v) for k, v in content.items() if "second" not in k and k != "overrides"}

    return kept(json.loads(path.read_text()))


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES if name != "ddpm_sets"]


@pytest.mark.parametrize("model", ["ddpm_sets", *SLOW])
def test_two_processes_learn_and_measure_what_one_does(
    model: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
):
    for task in (
        FollowControl,
        GenerateImages,
        GenerateClouds,
        Redraw,
    ):  # figures are tested elsewhere
        for name in ("plot", *(["callbacks"] if task is not GenerateImages else [])):
            monkeypatch.setattr(task, name, lambda *_, **__: [])
    monkeypatch.setenv("XDG_CACHE_HOME", str(workplace / "cache"))
    two = [*words(model, 8, 10), "accelerator=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]
    both = two_ranks(lambda: train_command([*two, "out=two"]), workplace)
    assert [one.wait() for one in both] == [0, 0], both[0].said.read_text()
    one = Forked(lambda: train_command([*words(model, 16, 20), "out=one"]), workplace)
    assert one.wait() == 0, one.said.read_text()

    weights, theirs = (
        torch.load(workplace / name / "checkpoints/last.ckpt", weights_only=True)["ema_state_dict"]
        for name in ("one", "two")
    )
    for name, value in weights.items():
        assert torch.allclose(value, theirs[name], rtol=1e-5, atol=1e-5), name
    rows = []
    for name in ("one", "two"):
        with (workplace / name / "metrics.csv").open(newline="") as file:
            rows += [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert rows[0] == pytest.approx({**rows[1], "seconds": rows[0]["seconds"]}, rel=1e-3, abs=1e-5)

    words_of = ["run=two", *(["sampler.eta=1.0"] if "stn" in model else [])]  # with noise
    alone = Forked(lambda: run_command("evaluate", [*words_of, "out=alone"]), workplace)
    assert alone.wait() == 0, alone.said.read_text()
    both = two_ranks(lambda: run_command("evaluate", [*words_of, "out=both"]), workplace)
    assert [one.wait() for one in both] == [0, 0], both[0].said.read_text()
    found = [numbers(next((workplace / name).glob("*.json"))) for name in ("alone", "both")]
    assert found[0] == found[1]
    if len(words_of) == 1:
        trained = numbers(workplace / "two" / "metrics.json")
        assert found[0]["numbers"] == trained["numbers"]

"""What ships with the package does what it is said to do."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from diffstn.build import build_data, build_task, load_model
from diffstn.data.sources.mnist import load_mnist
from diffstn.errors import UserError
from diffstn.store.run_folder import PRETRAINED, RunFolder, open_run
from diffstn.store.shipping import LIMIT, ship


def measured(name: str, **settings: Any) -> dict[str, Any]:
    """The numbers of a shipped run, by its own task."""
    config = open_run(f"pretrained/{name}").read_config()
    task = replace(build_task(config), **settings)
    with torch.inference_mode():
        return task.measure(load_model(f"pretrained/{name}"), build_data(config))


@pytest.mark.parametrize(
    "name",
    ["judge", "digit_judge", "cifar_judge", "cifar_judge_77", "mnist_unet", "diff_in_stn_full"],
)
def test_weights_are_small_and_say_how_they_were_made(name: str):
    run = open_run(f"pretrained/{name}")
    assert (run.path / "weights.safetensors").stat().st_size <= LIMIT
    assert run.read_json("metrics")["command"].startswith(
        ("python train.py model=", "python train.py experiment=")
    )


@pytest.mark.parametrize("other", [{"weights": "raw"}, {"checkpoint": "best"}])
def test_weights_that_do_not_ship_are_refused(other: dict[str, str]):
    with pytest.raises(UserError, match=r"ships with (ema|last) alone"):
        load_model("pretrained/mnist_unet", **other)


def test_the_judge_reads_the_clean_test_digits():
    assert measured("judge")["accuracy"] >= 99.4


def test_the_judge_of_handwriting_reads_them_too():
    digits = load_mnist()["test"]
    with torch.inference_mode():
        read = load_model("pretrained/digit_judge").classify(digits.items[:1000])
    assert float((read.argmax(-1) == digits.labels[:1000]).float().mean()) >= 0.995


def test_diff_in_stn_turns_any_rotation_upright():
    numbers = measured("diff_in_stn_full", hypotheses=[1, 4], limit=300)
    assert numbers["uncorrected"] < 60
    assert numbers["k"]["1"]["accuracy"] > 94
    assert numbers["k"]["4"]["accuracy"] > 94


def test_the_unet_samples_digits_that_the_judge_reads_as_asked():
    model, judge = (load_model(f"pretrained/{name}") for name in ("mnist_unet", "judge"))
    label = torch.arange(10).repeat_interleave(2)
    few = replace(model.sampler, steps=8)
    sampled, led = (
        model.sample(20, label, sampler=few, guidance_scale=w, seed=1) for w in (0.0, 1.0)
    )
    right = [(judge.classify(one).argmax(-1) == label).float().mean() for one in (sampled, led)]
    assert right[0] > 0.85
    assert right[1] >= right[0]


@pytest.fixture
def copied(tmp_path, monkeypatch) -> Callable[[str], RunFolder]:
    """`copied(run)`: a copy of a shipped run, as if it were new; what is shipped stays aside."""
    monkeypatch.setattr("diffstn.store.shipping.PRETRAINED", tmp_path / "shipped")

    def copy(run: str) -> RunFolder:
        made = RunFolder(tmp_path / "run")
        shutil.copytree(open_run(run).path, made.path)
        words = "model=classifier\ndata.root=/home/somebody\nout=somewhere\n"
        (made.path / "overrides.txt").write_text(words)
        return made

    return copy


def test_a_judge_that_ships_itself_is_not_shipped_again(copied):
    shipped = ship(copied("pretrained/diff_in_stn_full"), "again")
    names = load_file(shipped.path / "weights.safetensors").keys()
    assert names
    assert not [name for name in names if name.startswith("classifier.")]
    before, after = (load_model(r) for r in ("pretrained/diff_in_stn_full", shipped))
    state, again = before.state_dict(), after.state_dict()
    assert state.keys() == again.keys()
    assert all(state[name].equal(again[name]) for name in state)


def test_shipping_keeps_the_answers(copied):
    source, copy = open_run("pretrained/judge"), copied("pretrained/judge")
    config = copy.read_config()
    config["data"]["root"] = "/home/somebody"
    copy.config.write_text(yaml.safe_dump(config))
    shipped = ship(copy, "again")
    command = "python train.py model=classifier data.root=..."
    assert shipped.read_json("metrics")["command"] == command
    assert yaml.safe_load(shipped.config.read_text())["out"] is None
    assert "somebody" not in shipped.config.read_text()
    before, after = (load_model(r).state_dict() for r in (source, shipped))
    assert all(before[name].equal(after[name]) for name in before)
    assert PRETRAINED not in shipped.path.parents

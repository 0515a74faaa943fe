"""ControlNets from the command line to numbers and figures."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.build import build_data, load_model
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder, open_run

SHORT = [
    *("data.limit_train=64", "data.limit_val=20", "data.limit_test=140", "data.batch_size=32"),
    *("accelerator=cpu", "trainer.precision=fp32", "report=false", "sampler.steps=2"),
]
BASE = [
    *("model=ddpm_unet", "network.width=8", "network.blocks=1", "network.head_features=8"),
    *("schedule.steps=20", "task.samples=140", "task.track=0", "task.per_class=1", "epochs=1"),
]
CONTROL = ["model=controlnet", "base=base", "task.watch=2", "task.shown=1", "task.per_class=1"]


@pytest.fixture(scope="module")
def run(place: Path) -> RunFolder:
    """A base of one epoch, and a ControlNet of two on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diffstn.tasks.generate_images.plot_images", lambda *_: [])
        assert train_command([*BASE, *SHORT, "out=base"]) == 0
    assert train_command([*CONTROL, *SHORT, "epochs=2", "out=run"]) == 0
    return open_run("run")


def test_a_run_ends_with_numbers_and_their_protocol(run: RunFolder):
    metrics = run.read_json("metrics")
    assert metrics["images_accuracy"] > 95 > metrics["accuracy"]
    assert set(metrics["fidelity"]) == set(metrics["fidelity_by_chance"]) == {"edges F1 %"}
    assert {"accuracy %", "edges F1 %", "FID test", "FID train"} == set(metrics["numbers"])
    assert metrics["generation"]["test"]["FID"] > metrics["generation"]["test"]["FID floor"] > 0
    protocol = metrics["protocol"]
    assert (protocol["images"], protocol["told"], protocol["features"]) == (140, False, "judge")
    assert (run.figures / "controlled.png").stat().st_size > 3000
    assert len(list((run.figures / "steps" / "samples").iterdir())) == 2


def test_its_own_weights_alone_are_kept(run: RunFolder):
    last = torch.load(run.checkpoints / "last.ckpt", weights_only=True)
    base = torch.load("base/checkpoints/last.ckpt", weights_only=True)["ema_state_dict"]
    for key in ("state_dict", "ema_state_dict"):
        kept = last[key]
        assert not any(".base." in name or ".up." in name for name in kept)
        own = {v.numpy().tobytes() for n, v in kept.items() if n.startswith("denoiser.")}
        theirs = {v.numpy().tobytes() for v in base.values() if v.ndim > 1}
        assert not own & theirs  # what was copied has moved on
    assert "base_digest" in last["state_dict"]


def test_a_resumed_run_finds_its_base_and_ends_as_if_never_stopped(run: RunFolder, place: Path):
    words = [*CONTROL, *SHORT, "task.watch=0"]
    assert train_command([*words, "epochs=2", "trainer.max_time=00:00:00:00", "out=cut"]) == 124
    assert train_command(["out=cut", "resume=true", "trainer.max_time=null"]) == 0
    ours, theirs = (
        torch.load(f"{name}/checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for name in ("cut", "run")
    )
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_it_is_evaluated_and_sampled_from_its_folder(run: RunFolder):
    assert run_command("evaluate", ["run=run", "accelerator=cpu", "told=true", "out=e"]) == 0
    [path] = Path("e").glob("*.json")
    assert json.loads(path.read_text())["protocol"]["told"] is True
    words = ["run=run", "accelerator=cpu", "n=5", "save=npz", "figures=false", "out=s"]
    assert run_command("sample", words) == 0
    with np.load("s/samples.npz") as kept:
        assert kept["items"].shape == (5, 1, 28, 28)
        data = build_data(run.read_config())
        data.setup()
        assert kept["labels"].tolist() == data.labels("test")[:5].tolist()


def test_the_batch_size_changes_no_number(run: RunFolder, measure):
    from diffstn.build import Built, build_task

    config = run.read_config()
    config["sampler"] = {"_target_": "diffstn.diffusion.samplers.DDIM", "steps": 2}
    config["control"] = {"_target_": "diffstn.data.controls.Edges"}
    model = load_model(run, config=config)
    built = Built(model, build_data(config), build_task(config))
    one, other = (measure(built, batch_size=size, limit=130) for size in (130, 37))
    assert one["accuracy"] == other["accuracy"]
    for name in ("fidelity", "fidelity_by_chance"):
        assert one[name] == pytest.approx(other[name], rel=1e-3)


def test_a_base_that_is_gone_or_has_changed_is_a_line(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
):
    shutil.move("base", "moved")
    try:
        capsys.readouterr()
        assert run_command("evaluate", ["run=run", "accelerator=cpu"]) == 2
        assert "error: base=base: no run there" in capsys.readouterr().err
        words = ["run=run", "base=moved", "n=1", "save=npz", "figures=false", "accelerator=cpu"]
        assert run_command("sample", words) == 0
        assert run_command("sample", ["run=run", "base=pretrained/mnist_unet"]) == 2
        assert "error: " in capsys.readouterr().err
        path = Path("moved/checkpoints/last.ckpt")
        content = torch.load(path, weights_only=True)
        content["ema_state_dict"]["denoiser.network.last.bias"] += 1
        kept = path.read_bytes()
        torch.save(content, path)
        assert run_command("evaluate", ["run=run", "base=moved", "accelerator=cpu"]) == 2
        said = capsys.readouterr().err
        assert "error: base=moved is not what these weights were trained beside" in said
        path.write_bytes(kept)
    finally:
        shutil.move("moved", "base")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["base=run"], "base=run is a run of ControlNet: a ControlNet's base is one of"),
        (["control=distorted"], "it needs distorted images with their pose; use data=affine_"),
        (["task.limit=20"], "needs more than 128"),
        (["task=redraw"], "task=redraw is none for ControlNet"),
        (["task.told=true", "model.label_dropout=1"], "trained without labels"),
        (["model.hypotheses=0"], "hypotheses at least 1"),
    ],
)
def test_bad_input_is_one_line(
    run: RunFolder, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    shown = [word for word in CONTROL if "task=redraw" not in words or "task." not in word]
    capsys.readouterr()
    assert train_command([*shown, *SHORT, "out=bad", *words]) == 2
    captured = capsys.readouterr().err
    assert captured.count("\n") == 1
    assert said in captured
    assert not Path("bad").exists()


def test_a_corrector_is_refused(run: RunFolder, built):
    from diffstn.tasks.follow_control import FollowControl

    stn = built("model=stn")
    with pytest.raises(UserError, match="task=control is none for STN on these data"):
        FollowControl().check(stn.model, stn.data)


def test_the_page_shows_each_class(run: RunFolder):
    words = ["run=run", "accelerator=cpu", "shown=3", "per_class=2", "out=p"]
    assert run_command("sample", words) == 0
    with Image.open("p/controlled.png") as more, Image.open(run.figures / "controlled.png") as one:
        assert more.width > 1.5 * one.width
        assert more.height > one.height

"""Diffusion in the latents of an autoencoder, as a user does it."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import diffstn
from diffstn.build import load_model
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.codecs.autoencoder import AutoencoderCodec
from diffstn.data.sources import mnist
from diffstn.errors import UserError
from diffstn.store.checkpoints import trained_weights
from diffstn.store.run_folder import RunFolder
from diffstn.tasks.generate_images import GenerateImages
from tests.conftest import SMALL, blank_page, mnist_once

TINY = [
    *("network.width=8", "network.head_features=8", "network.blocks=1", "sampler.steps=3"),
    *("task.track=0", "task.samples=130", *SMALL),
]
WORDS = ["model=ddpm_unet", "codec=coder", *TINY, "data.limit_test=130", "out=run"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, autoencoder_run: str) -> Iterator[Path]:
    """Where `run` was trained in the latents of `coder`, which is gone."""
    folder = tmp_path_factory.mktemp("latent")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["train.py"])
        patch.setattr(mnist, "load_mnist", mnist_once)
        patch.setattr("diffstn.runs.train.training_curves", blank_page)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        shutil.copytree(autoencoder_run, "coder")
        assert train_command(WORDS) == 0
        shutil.move("coder", "elsewhere")
        yield folder


def test_a_run_keeps_the_autoencoder_as_it_was(place: Path):
    model: Any = load_model("run")
    theirs = trained_weights(RunFolder("elsewhere"))
    own = model.codec.coder.state_dict()
    assert all(torch.equal(theirs[f"coder.{name}"], value) for name, value in own.items())
    assert model.noise_shape == (4, 8, 8)
    assert (model.clip, model.bins) == (None, None)
    assert not torch.equal(model.codec.std, torch.ones(4))
    for weights in ("raw", "ema"):
        state = trained_weights(RunFolder("run"), "last", weights)
        assert torch.equal(state["codec.std"], model.codec.std)
    assert RunFolder("run").read_json("metrics")["generation"]["train"]["FID"] > 0
    figures = {path.stem for path in Path("run/figures").iterdir()}
    assert {"samples", "reverse_process", "noise", "interpolation", "guidance"} <= figures


def test_it_samples_and_is_measured_without_the_autoencoders_folder(place: Path):
    made = diffstn.load("run").sample(3, label="7", guidance_scale=1.0)
    assert made.shape == (3, 1, 28, 28)
    assert 0 <= float(made.min()) <= float(made.max()) <= 1
    words = ["run=run", "accelerator=cpu"]
    assert run_command("sample", [*words, "save=npz", "n=4", "figures=false"]) == 0
    other = ["codec=elsewhere", "sampler=ddim", "sampler.steps=1"]  # the same autoencoder once more
    assert run_command("evaluate", [*words, *other]) == 0


def test_it_goes_on_without_the_autoencoders_folder(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(GenerateImages, "plot", lambda *_, **__: [])
    before: Any = load_model("run")
    assert train_command([*WORDS, "epochs=2", "resume=true"]) == 0
    after: Any = load_model("run")
    assert torch.equal(before.codec.std, after.codec.std)
    assert len(Path("run/metrics.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["codec=autoencoder"], "pass codec=<folder of a run of model=autoencoder>"),
        (["codec=pretrained/mnist_unet"], "codec takes one of model=autoencoder"),
        (["codec=autoencoder", "codec.run=pretrained/judge"], "is no run of an autoencoder"),
        (["codec=elsewhere", "data=cifar10"], "codes 1-channel images of 28 x 28, the data has 3"),
        (["codec=runs/nowhere"], "codec=runs/nowhere: no run there"),
        (["codec=elsewhere", "task.likelihood=5"], "bits per dimension are of pixels"),
        (["codec=elsewhere", "model.clip_quantile=0.9"], "needs a clip"),
        (
            ["codec=elsewhere", "model.clip=none"],
            "model.clip=none: must be a number or one of auto",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
):
    asked = ["model=ddpm_unet", *TINY, *words, "out=refused"]
    assert train_command(asked) == 2
    [line] = [li for li in capsys.readouterr().err.splitlines() if li.startswith("error: ")]
    assert message in line
    assert not (place / "refused" / "config.yaml").exists()


def test_a_run_keeps_to_its_latents(place: Path):
    """Another autoencoder's are not what the model has learned; the same, moved, will do."""
    model: Any = load_model("run")
    moved = AutoencoderCodec("elsewhere")
    moved.load_state_dict(model.codec.state_dict())
    state = {**model.codec.state_dict(), "digest": model.codec.digest + 1}
    with pytest.raises(UserError, match="not the autoencoder in whose latents"):
        moved.load_state_dict(state)


def test_the_class_of_a_strangers_codec_is_not_even_imported(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "foreign_codec.py").write_text("raise SystemExit('code of a stranger has run')")
    monkeypatch.syspath_prepend(str(tmp_path))
    strange = tmp_path / "strange"
    shutil.copytree("elsewhere", strange)
    config = (strange / "config.yaml").read_text()
    ours = "diffstn.models.autoencoder.Autoencoder"
    (strange / "config.yaml").write_text(config.replace(ours, "foreign_codec.Net"))
    words = [word for word in WORDS if word not in ("codec=coder", "out=run")]
    words += ["codec=autoencoder", f"codec.run={strange}"]
    assert train_command([*words, "out=other"]) == 2
    assert "foreign_codec.Net" in capsys.readouterr().err
    assert "foreign_codec" not in sys.modules

"""Images through an autoencoder and back, from training to numbers and figures."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image

from diffstn.build import load_model
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.store.run_folder import RunFolder
from diffstn.tasks.reconstruct import Spread
from tests.conftest import AUTOENCODER


def test_numbers_beside_their_floor(autoencoder_run: str):
    metrics = RunFolder(autoencoder_run).read_json("metrics")
    numbers = metrics["numbers"]
    assert {"PSNR dB", "SSIM", "rFID", "FID train", "FID test"} == set(numbers)
    assert numbers["PSNR dB"] > 11  # a grey image has 10
    for row in metrics["generation"].values():
        assert row["FID"] > row["FID floor"] > 0
    assert metrics["latent"]["shape"] == [4, 8, 8]
    assert len(metrics["latent"]["mean"]) == len(metrics["latent"]["std"]) == 4
    assert metrics["protocol"]["reconstructed"] == {"test": 300, "train": 400}


def test_the_figures_hold_the_images(autoencoder_run: str):
    figures = RunFolder(autoencoder_run).figures
    for name, rows in (("reconstructions", 4), ("latents", 6)):
        width, height = Image.open(figures / f"{name}.png").size
        assert width >= 10 * 28 * 3
        assert height >= rows * 28 * 3


def test_an_autoencoder_with_a_codebook_says_how_much_of_it_is_used(
    place: Path, autoencoder_run: str
):
    words = [word for word in AUTOENCODER if not word.startswith(("epochs", "data.limit_train"))]
    words += ["regularisation=vq", "regularisation.codes=64", "epochs=1", "data.limit_train=100"]
    words += ["data.limit_test=40", "task.samples=0"]
    assert train_command([*words, "out=vq"]) == 0
    numbers = RunFolder("vq").read_json("metrics")["numbers"]
    assert 1 < numbers["perplexity"] <= 64
    assert 0 < numbers["codes used %"] <= 100
    assert "val/perplexity" in Path("vq/metrics.csv").read_text().splitlines()[0]
    # the same words measure the same again, and a folder keeps images
    assert run_command("evaluate", ["run=vq", "accelerator=cpu", "batch_size=77"]) == 0
    [path] = Path("vq/evaluations").glob("*.json")
    again = yaml.safe_load(path.read_text())["numbers"]
    assert again["PSNR dB"] == pytest.approx(numbers["PSNR dB"], rel=1e-3)
    assert again["perplexity"] == pytest.approx(numbers["perplexity"], rel=1e-2)
    words = ["run=vq", "accelerator=cpu", "save=png", "n=3", "figures=false", "out=kept"]
    assert run_command("sample", words) == 0
    assert len(list(Path("kept").glob("**/*.png"))) >= 3


def test_a_model_reconstructs_what_a_user_holds(autoencoder_run: str):
    model: Any = load_model(autoencoder_run)
    image = torch.randint(0, 256, (28, 28), dtype=torch.uint8)
    back = model.reconstruct(image)
    assert back.dtype == torch.uint8
    assert back.shape == (1, 28, 28)


def test_the_spread_is_that_of_the_places():
    latent = torch.randn(7, 3, 4, 5) * torch.tensor([1.0, 2.0, 3.0])[:, None, None] + 5
    spread = Spread(3)
    for part in latent.split(3):
        spread.update(part)
    places = latent.double().movedim(1, -1).flatten(0, -2)
    assert spread.found()["mean"] == pytest.approx(places.mean(0).tolist(), rel=1e-3)
    assert spread.found()["std"] == pytest.approx(places.std(0).tolist(), rel=1e-2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=ddpm_unet", "task=reconstruct"], "it asks for model=autoencoder"),
        (["model=autoencoder", "task=generate_images"], "it asks for a model that generates"),
        (["model=autoencoder", "network=unet"], "does not take 'moments'"),
        (["model=noisy_classifier", "network=autoencoder"], "does not take 'classes'"),
        (["model=autoencoder", "model.pixel_loss=l3"], "must be one of l1, l2"),
        (["model=autoencoder", "model.edge_weight=-1"], "must be a number of at least 0"),
        (["model=autoencoder", "regularisation.codes=9"], "no setting 'regularisation.codes'"),
        (["model=autoencoder", "data.limit_test=100"], "the test split has 100 images"),
        (["model=autoencoder", "data=affine_mnist"], "it needs images as they are"),
    ],
)
def test_what_does_not_fit_is_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
):
    assert train_command([*words, "accelerator=cpu", "report=false", "out=refused"]) == 2
    [line] = [li for li in capsys.readouterr().err.splitlines() if li.startswith("error: ")]
    assert message in line
    assert not (place / "refused" / "config.yaml").exists()

"""Every configuration that ships composes; every pair of model and data trains or is refused."""

import csv
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffstn.runs.checks import check_config, try_out
from diffstn.runs.command import train_command
from diffstn.runs.overrides import composed, groups
from PIL import Image

from diffstn.data import mnist
from diffstn.errors import UserError
from diffstn.store.markdown import headline
from diffstn.store.run_folder import RunFolder

CONF = Path(__file__).parents[1] / "conf"
GROUPS = {name: choices for name, choices in groups(CONF).items() if name != "hydra"}
MODELS, DATA = GROUPS["model"], GROUPS["data"]
FITTING = {
    **dict.fromkeys(
        ("data=mnist", "data=cifar10", "data=fashion_mnist", "data=image_folder"),
        "model=classifier",
    ),
    "network=unet": "model=ddpm_unet",
    "network=noisy_image": "model=noisy_classifier",
    **dict.fromkeys(("data=shapes", "network=points"), "model=ddpm_points"),
    **dict.fromkeys(
        ("data=stars", "data=solids", "network=deepsets", "network=set_transformer"),
        "model=ddpm_sets",
    ),
    "network=latent_denoiser": "model=latent_diff_in_stn",
}
"""For a choice that does not go with the default model, one that does."""

Compose = Callable[..., dict[str, Any]]


def choices() -> Iterator[str]:
    for group, names in GROUPS.items():
        yield from (f"{group}={name}" for name in names)


def test_there_are_choices():
    assert {"model", "data", "data/distortion", "schedule", "sampler", "experiment"} <= set(GROUPS)
    assert len(list(choices())) > 40


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clouds, of noise."""
    folder = tmp_path_factory.mktemp("clouds")
    generator = np.random.default_rng(0)
    for i in range(100):
        np.save(folder / f"{i}.npy", generator.normal(size=(32, 3)))
    return folder


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images in two classes, of noise."""
    folder = tmp_path_factory.mktemp("images")
    generator = np.random.default_rng(0)
    for i in range(100):
        path = folder / f"class{i % 2}" / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (20, 16, 3), np.uint8)).save(path)
    return folder


@pytest.fixture(scope="session")
def clothes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits where Fashion-MNIST's clothes would lie."""
    folder = tmp_path_factory.mktemp("clothes") / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    for packed in mnist.ASSETS.glob("*.xz"):
        (folder / packed.stem).write_bytes(lzma.decompress(packed.read_bytes()))
    return folder.parents[1]


@pytest.fixture
def places(photographs: Path, clouds: Path, images: Path, clothes: Path) -> dict[str, Path]:
    """Where data lie that do not ship."""
    return {
        "photographs": photographs,
        "clouds": clouds,
        "images": images,
        "clothes": clothes,
    }


@pytest.mark.parametrize("choice", choices())
def test_every_choice_composes_into_what_can_be_built(
    config: Compose, places: dict[str, Path], choice: str
):
    words = [choice]
    if choice.startswith("data="):
        name = choice.removeprefix("data=")
        words += [word.format(**places) for word in SOURCES.get(name, [])]
        words += ["data.points=32"] * (name == "point_cloud_folder")
    fitting = FITTING.get(choice, "model=ddpm_sets" if "point_cloud" in choice else None)
    if "stn_in_diff" not in choice:
        words.append("classifier=joint")
    composed_config = config(*words, *([fitting] if fitting else []))
    check_config(composed_config, CONF)
    try_out(composed_config)


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_the_other_commands_compose(command: str):
    assert composed(CONF, command, []).accelerator.name == "auto"


@pytest.mark.parametrize("distortion", GROUPS["data/distortion"])
@pytest.mark.parametrize("data", ["affine_mnist", "affine_cifar10"])
def test_every_distortion_fits_every_data_set(config: Compose, data: str, distortion: str):
    built = config("classifier=joint", f"data={data}", f"data/distortion={distortion}")
    check_config(built, CONF)
    try_out(built)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the shape of CIFAR-10, of noise."""
    generator = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("cifar") / "cifar10.npz"
    arrays = {}
    for split, size in (("train", 5064), ("test", 100)):
        arrays[f"{split}_images"] = generator.integers(0, 256, (size, 32, 32, 3), np.uint8)
        arrays[f"{split}_labels"] = generator.integers(0, 10, size, np.uint8)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


DISTORTED = ["affine_cifar10", "affine_mnist"]
UPRIGHT = ["cifar10", "fashion_mnist", "image_folder", "mnist"]
CLOUDS = ["point_cloud_folder", "solids", "stars"]
FITS: dict[str, list[str]] = {
    "classifier": [*DISTORTED, *UPRIGHT],
    "ddpm_unet": UPRIGHT,
    "noisy_classifier": UPRIGHT,
    "ddpm_points": ["shapes"],
    "ddpm_sets": CLOUDS,
    "gaussian_1d": [],
}
"""The data sets that a model trains on, where they are not the distorted ones."""
SOURCES = {
    "cifar10": ["data.source={photographs}"],
    "affine_cifar10": ["data.source={photographs}"],
    "fashion_mnist": ["data.root={clothes}"],
    "image_folder": ["data.root={images}"],
    "point_cloud_folder": ["data.root={clouds}"],
}
MORE = {
    "point_cloud_folder": ["data.points=32"],
    "stars": ["data.points=32", "data.train=64"],
    "solids": ["data.points=32", "data.train=64"],
    "shapes": ["data.train=64"],
}
TINY_UNET = ["network.width=8", "network.blocks=1", "network.head_features=8"]
OF_MODEL = {
    "ddpm_unet": [*TINY_UNET, "evaluate.samples=260", "evaluate.track=0"],
    "stn_in_diff": [*TINY_UNET, "classifier=frozen"],
    "noisy_classifier": ["network.width=8"],
}
"""What makes a run of a model short, or possible at all."""


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("model", MODELS)
def test_every_pair_trains_two_steps_or_is_refused_by_what_fits(
    config: Compose,
    train: Callable[..., int],
    places: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    model: str,
    data: str,
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pair = [f"model={model}", f"data={data}", *MORE.get(data, []), *OF_MODEL.get(model, [])]
    pair += [word.format(**places) for word in SOURCES.get(data, [])]
    if (model, data) == ("stn_in_diff", "affine_cifar10"):
        pair.append("classifier.run=pretrained/cifar_judge")
    code = train(*pair, "sampler.steps=2", "evaluate.hypotheses=[1]", "out=run")
    run = RunFolder("run")
    if data not in FITS.get(model, DISTORTED):
        assert code == 2
        error = capsys.readouterr().err
        assert f"model={model} cannot train on data={data}" in error or not FITS.get(model, True)
        assert " or ".join(FITS.get(model, DISTORTED)) in error
        assert not run.path.exists()
        return
    assert code == 0
    assert run.read_json("status")["state"] == "done"
    with run.metrics_csv.open(newline="") as file:
        [row] = csv.DictReader(file)
    assert row["step"] == "2"
    assert np.isfinite(float(row["train/loss"]))
    assert all(np.isfinite(value) for value in headline(run.read_json("metrics")).values())


def test_the_judge_of_digits_is_refused_photographs(
    workplace: Path, capsys: pytest.CaptureFixture[str]
):
    assert train_command(CONF, ["data=affine_cifar10", "out=run"]) == 2
    error = capsys.readouterr().err
    assert "use classifier=joint" in error
    assert error.count("\n") == 1
    assert not Path("run").exists()


def test_a_pair_that_fits_is_accepted_with_no_word_from_the_names(config: Compose):
    with pytest.raises(UserError, match=r"it needs distorted images"):
        check_config(config("data=mnist"))

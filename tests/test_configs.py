"""Every configuration that ships composes; every pair of model and data fits or is refused."""

import functools
import itertools
import lzma
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import yaml
from PIL import Image

from diffstn.build import build
from diffstn.cli.conf import composed, composing, groups, training_config
from diffstn.data.kinds import check_needs
from diffstn.data.sources import mnist
from diffstn.errors import Misfit
from diffstn.runs.settings import TrainSettings
from diffstn.runs.train import check
from diffstn.schema import check_config
from diffstn.store.run_folder import RunFolder
from diffstn.store.whole_files import WholeFiles
from tests.conftest import SMALL, mnist_once

with composing() as loader:
    GROUPS = {name: choices for name, choices in groups(loader).items() if name != "hydra"}
MODELS, DATA = GROUPS["model"], GROUPS["data"]

UNTRAINED = ("pose_ensemble", "pose_search")
"""They need data, and learn nothing from them."""
DISTORTED = ["affine_cifar10", "affine_image_folder", "affine_mnist"]
UPRIGHT = ["cifar10", "fashion_mnist", "image_folder", "mnist"]
ELSEWHERE = ["hugging_face", "torchvision"]
"""Data that a library brings; tests/data asks it for some of its own."""
CLOUDS = ["point_cloud_folder", "solids", "stars"]
FITS: dict[str, list[str]] = {
    "autoencoder": [*UPRIGHT, *ELSEWHERE],
    "classifier": [*DISTORTED, *UPRIGHT, *ELSEWHERE],
    "controlnet": [*UPRIGHT, *ELSEWHERE],
    "cold": [*UPRIGHT, *ELSEWHERE],
    "ddpm_unet": [*UPRIGHT, *ELSEWHERE],
    "ddpm_ac": [*UPRIGHT, *ELSEWHERE],
    "distilled": [*UPRIGHT, *ELSEWHERE],
    "noisy_classifier": [*UPRIGHT, *ELSEWHERE],
    "ddpm_points": ["shapes"],
    "ddpm_sets": CLOUDS,
    "ncsn": [*UPRIGHT, *ELSEWHERE],
    "ncsn_points": ["shapes"],
    "gan": [*UPRIGHT, *ELSEWHERE],
    "gan_points": ["shapes"],
    "gaussian_1d": [],  # it has nothing to learn
}
"""The data sets that a model trains on, where they are not the distorted ones."""

TAKEN_BY = {
    "network=autoencoder": "autoencoder",
    "network=unet": "ddpm_unet",
    "network=noisy_image": "noisy_classifier",
    "network=points": "ddpm_points",
    "network=deepsets": "ddpm_sets",
    "network=set_transformer": "ddpm_sets",
    "network=latent_denoiser": "latent_diff_in_stn",
    "regularisation=kl": "autoencoder",
    "regularisation=vq": "autoencoder",
    "generator=stylegan": "gan",
    "generator=mlp": "gan_points",
    "discriminator=residual": "gan",
    "discriminator=mlp": "gan_points",
    "codec=as_is": "ddpm_points",
    "codec=autoencoder": "ddpm_unet",
    "codec=pixels": "ddpm_unet",
    "control=distorted": "controlnet data=affine_mnist task=redraw",
    **{f"control={name}": "controlnet" for name in ("edges", "half", "low_resolution")},
    "task=classify": "classifier",
    "task=control": "controlnet",
    "task=classify_noisy": "noisy_classifier",
    "task=gaussian_paths": "gaussian_1d",
    "task=generate_clouds": "ddpm_sets",
    "task=generate_images": "ddpm_unet",
    "task=generate_points": "ddpm_points",
    "task=reconstruct": "autoencoder",
    "task=redraw": "stn_in_diff",
    "task=restore": "cold",
    **{f"process={name}": "cold" for name in ("blur", "pixelate", "turn")},
    **{f"data={name}": "classifier" for name in (*UPRIGHT, *ELSEWHERE)},
    **{f"data={name}": "ddpm_sets" for name in CLOUDS},
    "data=shapes": "ddpm_points",
}
"""For a choice that the default model does not take, a model that does, and what else it takes."""

PLACES = {
    "cifar10": "data.source={photographs}",
    "affine_cifar10": "data.source={photographs}",
    "affine_image_folder": "data.root={images}",
    "fashion_mnist": "data.root={clothes}",
    "image_folder": "data.root={images}",
    "point_cloud_folder": "data.root={clouds}",
    "hugging_face": "data.name={images}",
    "torchvision": "data.root={clothes}",
}
JUDGED_BY = {
    "affine_cifar10": "pretrained/cifar_judge",
    "affine_image_folder": "{judge}",
}
WITH_A_JUDGE = ("stn_in_diff", "diff_in_stn", "pose_regression", "cold_stn")
OF_CHOICE = {
    "codec=autoencoder": ["codec.run={autoencoder}"],
    **{
        f"experiment={name}": ["data.source={photographs}"]
        for name in (
            "classes/cifar10",
            "judge/cifar10",
            "benchmark/cifar_eight",
            "benchmark/cifar_rotation",
        )
    },
    "model=pose_ensemble": ["model.members=[pretrained/diff_in_stn_full]"],
    "experiment=latent/mnist": ["codec.run={autoencoder}"],
    "experiment=latent/images64_autoencoder": ["data.root={images}"],
    "experiment=latent/images64": ["data.root={images}", "codec.run={colours}"],
}
"""What a choice cannot do without."""
SHORT = {
    "point_cloud_folder": ["data.points=32"],
    "stars": ["data.points=32", "data.train=64"],
    "solids": ["data.points=32", "data.train=64"],
    "shapes": ["data.train=64"],
}
TINY_UNET = ["network.width=8", "network.blocks=1", "network.head_features=8"]
OF_MODEL = {
    "autoencoder": ["network.width=8", "task.samples=0"],
    "controlnet": ["data.limit_test=140", "task.watch=0", "sampler.steps=2"],
    "cold": [*TINY_UNET, "process.steps=4"],
    "ddpm_unet": [*TINY_UNET, "task.track=0"],
    "ncsn": [*TINY_UNET, "task.track=0", "sampler.steps=2"],
    "ncsn_points": ["sampler.steps=2"],
    "ddpm_ac": [*TINY_UNET, "task.track=0"],
    "distilled": [*TINY_UNET, "task.track=0", "model.teacher_steps=1"],
    "stn_in_diff": TINY_UNET,
    "gan": ["generator.width=4", "discriminator.width=4", "task.track=0"],
    "noisy_classifier": ["network.width=8"],
    "stn": ["classifier=joint", "encoder=fc"],
    "ic_stn": ["classifier=joint", "encoder=fc"],
}


NETWORKS = ("network", "generator", "discriminator")
ALONE = (
    *("model", "data", *NETWORKS, "process", "regularisation", "codec", "control", "task"),
    *("experiment", "frame"),
)
"""Groups whose choices do not go with one another's."""


def choices() -> Iterator[list[str]]:
    """Every choice, streamed data left out; those that have nothing to do with others together."""
    words = {
        group: [f"{group}={name}" for name in names if not name.startswith("streamed_")]
        for group, names in GROUPS.items()
    }
    for group in ALONE:
        yield from ([word] for word in words.pop(group, []))
    for together in itertools.zip_longest(*words.values()):
        yield [word for word in together if word]


def test_there_are_choices():
    assert {"model", "task", "data", "data/distortion", "schedule", "sampler"} <= set(GROUPS)
    assert sum(len(together) for together in choices()) > 100
    assert set(FITS) <= set(MODELS)


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where data lie that do not ship: noise, and digits for clothes."""
    root, generator = tmp_path_factory.mktemp("places"), np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for split, size in (("train", 5064), ("test", 100)):
        arrays[f"{split}_images"] = generator.integers(0, 256, (size, 32, 32, 3), np.uint8)
        arrays[f"{split}_labels"] = generator.integers(0, 10, size, np.uint8)
    np.savez(root / "cifar10.npz", **arrays)
    for i in range(100):
        cloud = root / "clouds" / f"{i}.npy"
        cloud.parent.mkdir(exist_ok=True)
        np.save(cloud, generator.normal(size=(32, 3)))
        image = root / "images" / f"class{i % 2}" / f"{i}.png"
        image.parent.mkdir(exist_ok=True, parents=True)
        Image.fromarray(generator.integers(0, 256, (20, 16, 3), np.uint8)).save(image)
    for name in ("FashionMNIST", "MNIST"):
        raw = root / "clothes" / name / "raw"
        raw.mkdir(parents=True)
        for packed in mnist.ASSETS.glob("*.xz"):
            (raw / packed.stem).write_bytes(lzma.decompress(packed.read_bytes()))
    images = ["data=image_folder", f"data.root={root / 'images'}"]
    small = ["model=autoencoder", "network.width=8"]
    return {
        "autoencoder": untrained(root / "autoencoder", *small),
        "colours": untrained(root / "colours", *small, *images, "data.image_size=[64,64]"),
        "judge": untrained(root / "judge", "model=classifier", *images),
        "photographs": root / "cifar10.npz",
        **{name: root / name for name in ("clouds", "images", "clothes")},
    }


def untrained(folder: Path, *words: str) -> Path:
    """The folder of a run of a model that has learned nothing."""
    config = training_config(list(words))
    built, run = build(config), RunFolder(folder)
    state = built.model.state_dict()
    run.write("config.yaml", yaml.safe_dump(config))
    run.write_json("facts", built.data.facts.plain())
    content = {"state_dict": state, "ema_state_dict": state}
    WholeFiles().save_checkpoint(content, run.checkpoints / "last.ckpt")
    return folder


def words_of(model: str | None, data: str | None, places: dict[str, Path]) -> list[str]:
    """What makes this pair possible, and its run short."""
    words = [*([f"model={model}"] if model else []), *([f"data={data}"] if data else [])]
    words += OF_MODEL.get(model or "", [])
    if data:
        words += [*SHORT.get(data, []), *([PLACES[data]] if data in PLACES else [])]
    if data in JUDGED_BY and model in (None, *WITH_A_JUDGE):
        words.append(f"classifier.run={JUDGED_BY[data]}")
    return [word.format(**places) for word in words]


@pytest.mark.parametrize("together", choices(), ids=" ".join)
def test_every_choice_composes_into_what_can_be_built(
    monkeypatch: pytest.MonkeyPatch, places: dict[str, Path], together: list[str]
):
    monkeypatch.setattr(mnist, "load_mnist", mnist_once)
    group, name = together[0].split("=")
    model, *more = TAKEN_BY.get(together[0], "").split() or [None]
    words = [*words_of(model, name if group == "data" else None, places), *more]
    words += [word.format(**places) for word in OF_CHOICE.get(together[0], [])]
    chosen = [re.sub("^callbacks=(.*)", r"+callbacks=[\1]", word) for word in together]
    config = training_config([*words, *(word for word in chosen if word not in words)])
    for word in together:
        group, name = word.split("=")
        assert name in (config["callbacks"] if group == "callbacks" else config["choices"][group])
    check_config(config, TrainSettings)
    assert isinstance(build(config).model, pl.LightningModule)


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_the_other_commands_compose(command: str):
    assert composed(command, []).run is None


@pytest.mark.parametrize("distortion", GROUPS["data/distortion"])
@pytest.mark.parametrize("data", DISTORTED)
def test_every_distortion_fits_every_data_set(
    monkeypatch: pytest.MonkeyPatch, places: dict[str, Path], data: str, distortion: str
):
    monkeypatch.setattr(mnist, "load_mnist", mnist_once)
    words = [*words_of("stn", data, places), f"data/distortion={distortion}"]
    config = training_config(words)
    check_config(config, TrainSettings)
    built = build(config)
    assert built.data.facts.channels == (1 if "mnist" in data else 3)


@functools.cache
def composed_once(word: str, name: str | None = "train") -> Any:
    """A model's configuration, or the node of a data set alone."""
    return training_config([word]) if name else composed(None, [word]).data


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("model", [name for name in MODELS if name != "gaussian_1d"])
def test_a_pair_is_refused_unless_it_fits(model: str, data: str):
    data = data.removeprefix("streamed_")
    config = {**composed_once(f"model={model}"), "data": composed_once(f"+data={data}", None)}
    config["choices"] = {"model": model, "data": data}
    if data in FITS.get(model, DISTORTED):
        check_needs(config)
        return
    with pytest.raises(Misfit, match=f"model={model} cannot train on data={data}: it needs "):
        check_needs(config)


def fitting() -> Iterator[Any]:
    """Pairs of model and data; the first of every model and of every data set are not slow."""
    seen: set[str] = set()
    for model in (name for name in MODELS if name not in UNTRAINED):
        for data in FITS.get(model, DISTORTED):
            led = model in ("controlnet", "distilled")  # by a network of digits
            if data not in ELSEWHERE and (not led or data == "mnist"):
                marks = [pytest.mark.slow] if {model, data} <= seen else []
                yield pytest.param(model, data, marks=marks)
                seen |= {model, data}


@pytest.mark.parametrize(("model", "data"), fitting())
def test_a_fitting_pair_trains(workplace: Path, places: dict[str, Path], model: str, data: str):
    from diffstn.runs.train import train

    words = [*SMALL, *words_of(model, data, places), "trainer.fast_dev_run=true"]
    config = training_config([*words, "out=run"])
    check(config)
    assert train(config, RunFolder("run")) == {}
    assert RunFolder("run").read_json("status")["state"] == "done"

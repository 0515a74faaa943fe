"""Generative models of images, from training to numbers and figures."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.build import Built, load_model
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.store.run_folder import RunFolder, open_run
from diffstn.tasks.generate_images import GenerateImages

DIGITS = [
    *("data.limit_train=300", "data.limit_val=20", "data.limit_test=300", "data.batch_size=32"),
    *("task.samples=140", "task.track=130"),
]
NET = [
    *("network.width=8", "network.blocks=1", "network.head_features=8", "schedule.steps=20"),
    *("accelerator=cpu", "trainer.precision=fp32", "epochs=1"),
]
TINY = ["model=ddpm_unet", "sampler.steps=2", *NET, *DIGITS]
GUIDE = [
    *("model=noisy_classifier", "network.width=8", "schedule.steps=20", "epochs=1"),
    *("accelerator=cpu", "trainer.precision=fp32"),
]
FEW_DIGITS = ["data.limit_train=64", "data.limit_val=20", "data.limit_test=20"]


@pytest.fixture(scope="module")
def run(place: Path) -> RunFolder:
    """A run of one epoch with all its figures."""
    assert train_command([*TINY, "out=run"]) == 0
    return open_run("run")


def test_a_run_tracks_fid_and_ends_with_numbers_and_their_protocol(run: RunFolder, place: Path):
    metrics = run.read_json("metrics")
    assert set(metrics["generation"]) == {"train", "test"}
    row = metrics["generation"]["test"]
    assert row["FID"] > row["FID floor"] > 0  # an untrained model, and real digits
    assert metrics["protocol"]["features"] == "judge"
    assert metrics["protocol"]["samples"] == 140
    assert 0 <= metrics["numbers"]["accuracy %"] <= 100
    assert "val/fid" in run.metrics_csv.read_text().splitlines()[0]
    assert len(list((place / "cache" / "diffstn").glob("judge-*.safetensors"))) == 3  # the splits


def test_the_figures_show_what_they_should(run: RunFolder):
    names = {path.stem for path in run.figures.iterdir()}
    assert {
        *("samples", "reverse_process", "forward_process", "noise", "interpolation", "guidance"),
        *("training", "curves"),
    } <= names
    for path in run.figures.glob("*.png"):
        with Image.open(path) as page:
            assert min(page.size) > 100, path
            assert len(page.convert("L").getcolors(256) or range(257)) > 4, path


def test_a_page_grows_with_the_images_of_a_class(run: RunFolder):
    assert run_command("sample", ["run=run", "accelerator=cpu", "per_class=3", "out=three"]) == 0
    with Image.open("three/samples.png") as three, Image.open(run.figures / "samples.png") as eight:
        assert 2 * three.height < eight.height < 3 * three.height


def test_samples_are_kept_as_images(run: RunFolder):
    words = ["run=run", "accelerator=cpu", "figures=false", "n=12", "seed=3"]
    assert run_command("sample", [*words, "save=npz", "out=kept"]) == 0
    assert run_command("sample", [*words, "save=png", "out=kept"]) == 0
    with np.load("kept/samples.npz") as kept:
        items, labels = kept["items"], kept["labels"]
    assert items.shape == (12, 1, 28, 28)
    assert items.dtype == np.uint8
    assert not Path("kept/samples.png").exists()  # no figures
    files = sorted(Path("kept/samples").iterdir())
    assert [int(path.stem.split("-")[1]) for path in files] == labels.tolist()
    for path, item in zip(files, items, strict=True):
        assert (np.asarray(Image.open(path)) == item[0]).all()


def test_a_learned_variance_and_a_likelihood(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(GenerateImages, "plot", lambda *_, **__: [])
    words = [
        *("model.variance=learned_range", "model.loss=hybrid"),
        *("model.timestep_sampling=importance", "model.conditional=false", "task.track=0"),
    ]
    assert train_command([*TINY, *words, "out=learned"]) == 0
    assert run_command("evaluate", ["run=learned", "likelihood=20", "out=e"]) == 0
    [path] = Path("e").glob("*.json")
    metrics = json.loads(path.read_text())
    bound = metrics["likelihood"]
    terms = [v for k, v in bound.items() if k.startswith("L")]
    assert bound["images"] == "20 of test"
    assert bound["bits/dim"] == pytest.approx(sum(terms), rel=1e-2)
    assert bound["bits/dim"] == metrics["numbers"]["bits/dim"] > 1
    assert "accuracy %" not in metrics["numbers"]  # it was told no class
    assert "bits/dim" in GenerateImages().table(metrics)


def test_kinds_are_told_without_labels(place: Path):
    words = ["model.conditional=false", "model.clusters=5", "task.track=0"]
    assert train_command([*TINY, *words, "out=kinds"]) == 0
    assert (Path("kinds") / "figures" / "interpolation.png").exists()
    assert run_command("evaluate", ["run=kinds", "likelihood=20", "out=k"]) == 0
    [path] = Path("k").glob("*.json")
    metrics = json.loads(path.read_text())
    bound = metrics["likelihood"]
    terms = [v for k, v in bound.items() if k.startswith("L")]
    assert 0 < bound["kind"] < 8 / 784  # of five kinds that are not too rare
    assert bound["bits/dim"] == pytest.approx(sum(terms) + bound["kind"], rel=1e-2)
    assert "accuracy %" not in metrics["numbers"]  # nobody can ask for one


def test_guidance_by_a_classifier_of_the_same_schedule_alone(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
):
    assert train_command([*GUIDE, *FEW_DIGITS, "out=guide"]) == 0
    assert "t = 20" in json.dumps(RunFolder("guide").read_json("metrics"))
    assert train_command([*GUIDE, *FEW_DIGITS, "schedule=linear", "out=other"]) == 0
    config = run.read_config()
    config["model"].update(guide="guide", guide_scale=3.0, guidance_scale=1.0)
    model = load_model(run, config=config)
    x_T, label = torch.randn(3, 1, 28, 28), torch.tensor([1, 2, 3])
    made = {}
    with torch.inference_mode():  # as evaluation does
        for scale in (0.0, 3.0):
            model.guidance.guide_scale = scale
            made[scale] = model.denoise(x_T, label)
    assert made[3.0].shape == (3, 1, 28, 28)
    assert not torch.equal(made[0.0], made[3.0])
    assert not any("guide" in key for key in model.state_dict())
    capsys.readouterr()
    words = ["run=run", "model.guide=other", "model.guide_scale=1.0", "accelerator=cpu"]
    assert run_command("sample", words) == 2
    assert "another schedule" in capsys.readouterr().err
    assert run_command("sample", ["run=run", "model.guide=run"]) == 2
    assert "noisy_classifier" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["task.samples=100"], "needs more than 128"),
        (["task.track=100"], "fewer numbers, or for no tracking with 0"),
        (["task.features=cifar_judge"], "choose judge"),
        (["task.features=inception", "task.inception_weights=no.pth"], "no such file|pip install"),
        (["network.multipliers=[1,2,2,2]"], "not divisible by 8"),
        (["sampler.steps=30"], "on a schedule of 20: choose 1 to 20"),
        (["model.variance=learned_range"], "model.loss=hybrid"),
        (["model.conditional=false", "model.guidance_scale=1.0"], "model.conditional=true"),
        (["model.loss=best"], "unknown loss"),
        (["model.loss=vlb", "model.weighting=min_snr"], "model.loss=simple"),
        (["model.timestep_sampling=importance", "model.timestep_power=2.0"], "timestep_power=1.0"),
        (["task.samples=null", "data.limit_test=100"], "needs more than 128"),
        (["data.limit_test=3"], "the test split has 3 images"),
        (["data.limit_val=3"], "the val split has 3 images"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert train_command([*TINY, "out=refused", *words]) == 2
    err = capsys.readouterr().err
    assert any(one in err for one in said.split("|")), err
    assert not Path("refused/checkpoints").exists()


def folder_of(path: Path, counts: dict[str, int], size: tuple[int, int]) -> Path:
    """Images of noise, `size` as PIL has it, a sub-folder for each name ("" for none)."""
    generator = torch.Generator().manual_seed(0)
    for name, count in counts.items():
        (path / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            noise = torch.randint(0, 256, (size[1], size[0]), generator=generator)
            Image.fromarray(noise.to(torch.uint8).numpy()).save(path / name / f"{i}.png")
    return path


@pytest.mark.parametrize("counts", [{"": 60}, {"a": 55, "b": 2}], ids=["one class", "a rare one"])
@pytest.mark.parametrize("conditional", ["true", "false"])
@torch.inference_mode()
def test_figures_of_one_class_of_rare_ones_and_of_oblong_images(
    place: Path,
    tmp_path: Path,
    built: Callable[..., Built],
    counts: dict[str, int],
    conditional: str,
):
    root = folder_of(tmp_path / "p", counts, (20, 12))
    words = [
        *("model=ddpm_unet", "sampler.steps=2", *NET, "data=image_folder", f"data.root={root}"),
        *("data.image_size=[12,20]", "data.channels=1", "task.track=0", "task.samples=140"),
        *("data.test=0.3", f"model.conditional={conditional}"),
    ]
    model, data, task = built(*words, tiny=False)
    data.setup()
    task.check(model, data)
    names = {name for name, _ in task.plot(model.eval(), data, tmp_path)}
    assert {"samples", "interpolation", "noise"} <= names
    metrics = task.measure(model, data)
    assert "per_class" not in metrics  # the judge of digits knows none of these
    assert "floors of" in metrics["protocol"]["real"]


def test_a_guide_of_other_images_is_refused(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root = folder_of(tmp_path / "p", {"a": 30, "b": 30}, (28, 28))
    words = ["data=image_folder", f"data.root={root}", "data.image_size=[28,28]", "data.channels=1"]
    assert train_command([*GUIDE, *words, "out=stranger"]) == 0
    capsys.readouterr()
    assert train_command([*TINY, "model.guide=stranger", "out=no"]) == 2
    assert "classes a, b" in capsys.readouterr().err

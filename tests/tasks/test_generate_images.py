"""Runs of generative models of images, from training to numbers and figures."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from diffstn.runs.assembly import Assembly
from diffstn.runs.command import run_command, train_command
from diffstn.runs.evaluating import evaluate_run
from diffstn.runs.feature_choice import choose_features
from diffstn.runs.image_generation import distances, labels_to_draw
from diffstn.runs.real_statistics import real_statistics
from diffstn.runs.sampling import sample_run
from PIL import Image

from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder, open_run

CONF = Path(__file__).parents[2] / "conf"
TINY = [
    *("accelerator=cpu", "accelerator.precision=fp32", "epochs=1", "sampler.steps=2"),
    *("data.limit_train=300", "data.limit_val=20", "data.limit_test=300", "data.batch_size=32"),
    *("network.width=8", "network.blocks=1", "network.head_features=8"),
    *("evaluate.samples=140", "evaluate.track=130"),
    "schedule.steps=20",
]


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "diffstn"


@pytest.fixture
def unet(workplace, cache) -> Callable[..., RunFolder]:
    def build(*overrides: str) -> RunFolder:
        words = ["model=ddpm_unet", *TINY, "out=run", *overrides]
        assert train_command(CONF, words) == 0
        return RunFolder("run")

    return build


def test_a_run_tracks_fid_and_ends_with_numbers_and_their_protocol(unet, cache):
    run = unet()
    metrics = run.read_json("metrics")
    assert set(metrics["generation"]) == {"train", "test"}
    row = metrics["generation"]["test"]
    assert row["FID"] > row["FID floor"] > 0  # an untrained model, and real digits
    assert metrics["protocol"]["features"] == "judge"
    assert metrics["protocol"]["samples"] == 140
    assert 0 <= metrics["numbers"]["accuracy %"] <= 100
    assert "val/fid" in run.metrics_csv.read_text().splitlines()[0]
    assert (run.figures / "training.png").exists()
    assert len(list(cache.glob("judge-*.safetensors"))) == 3  # train, val and test


def test_the_figures_show_what_they_should(unet):
    unet()
    folder = Path("run/figures-of-it")
    run = open_run("run")
    settings = {
        **yaml.safe_load((CONF / "sample.yaml").read_text()),
        "accelerator": {"name": "cpu", "precision": "fp32"},
        "out": str(folder),
    }
    sample_run(run, settings, run.read_config())
    names = {path.stem for path in folder.iterdir()}
    assert {
        *("samples", "reverse_process", "forward_process", "noise", "interpolation", "guidance"),
    } <= names
    for path in folder.glob("*.png"):
        with Image.open(path) as page:
            assert min(page.size) > 50, path
            assert len(page.convert("L").getcolors(256) or range(257)) > 4, path
    heights = []
    for per_class in (1, 3):
        settings.update(per_class=per_class, out=f"pages-{per_class}")
        sample_run(run, settings, run.read_config())
        with Image.open(f"pages-{per_class}/samples.png") as page:
            heights.append(page.height)
    assert heights[1] > 1.5 * heights[0]


def evaluate(run, **settings):
    stored = yaml.safe_load((CONF / "evaluate.yaml").read_text())
    stored.pop("defaults")
    return evaluate_run(
        run,
        {
            **stored,
            "accelerator": {"name": "cpu", "precision": "fp32"},
            "overrides": [],
            **settings,
        },
        run.read_config(),
    )


def test_a_learned_variance_and_a_likelihood(unet):
    run = unet(
        *("model.variance=learned_range", "model.loss=hybrid", "model.timesteps=importance"),
        "model.conditional=false",
    )
    metrics = evaluate(run, likelihood=20)
    bound = metrics["likelihood"]
    terms = [v for k, v in bound.items() if k.startswith("L")]
    assert bound["bits/dim"] == pytest.approx(sum(terms), rel=1e-2)
    assert bound["bits/dim"] > 1
    assert "accuracy %" not in metrics["numbers"]  # it was told no class


def test_guidance_by_a_classifier_of_the_same_schedule_alone(unet, capsys):
    run = unet()
    words = [
        *("model=noisy_classifier", "schedule.steps=20", "data.limit_train=64", "epochs=1"),
        *("data.limit_val=20", "data.limit_test=20", "network.width=8", "accelerator=cpu"),
    ]
    assert train_command(CONF, [*words, "out=guide"]) == 0
    assert "t = 20" in json.dumps(RunFolder("guide").read_json("metrics"))
    assert train_command(CONF, [*words, "schedule=linear", "out=other"]) == 0
    config = run.read_config()
    config["model"].update(guide="guide", guide_scale=3.0, guidance_scale=1.0)
    model = Assembly.from_run(run, config=config).model
    x_T, label = torch.randn(3, 1, 28, 28), torch.tensor([1, 2, 3])
    drawn = {}
    with torch.inference_mode():  # as evaluation does
        for scale in (0.0, 3.0):
            model.guide_scale = scale
            drawn[scale] = model.sample(x_T, label)
    assert drawn[3.0].shape == (3, 1, 28, 28)
    assert not torch.equal(drawn[0.0], drawn[3.0])
    assert not any("guide" in key for key in model.state_dict())
    capsys.readouterr()
    words = ["run=run", "model.guide=other", "model.guide_scale=1.0", "accelerator=cpu"]
    assert run_command(CONF, "sample", sample_run, words) == 2
    assert "another schedule" in capsys.readouterr().err
    assert run_command(CONF, "sample", sample_run, ["run=run", "model.guide=run"]) == 2
    assert "noisy_classifier" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate.samples=100"], "needs more than 128"),
        (["evaluate.track=100"], "fewer numbers, or for no tracking with 0"),
        (["evaluate.features=cifar_judge"], "choose judge"),
        (["network.multipliers=[1,2,2,2]"], "not divisible by 8"),
        (["sampler.steps=30"], "the schedule has 1 to 20"),
        (["model.variance=learned_range"], "model.loss=hybrid"),
        (["model.conditional=false", "model.guidance_scale=1.0"], "model.conditional=true"),
        (["model.loss=best"], "unknown loss"),
        (["model.loss=vlb", "model.weighting=min_snr"], "model.loss=simple"),
        (["model.timesteps=importance", "model.timestep_power=2.0"], "timestep_power=1.0"),
        (["evaluate.samples=null", "data.limit_test=100"], "needs more than 128"),
        (["data.limit_test=3"], "the test split has 3 images"),
        (["data.limit_val=3"], "the val split has 3 images"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(workplace, cache, capsys, words, said):
    assert train_command(CONF, ["model=ddpm_unet", *TINY, "out=run", *words]) == 2
    assert said in capsys.readouterr().err
    assert not Path("run/checkpoints").exists()


def test_inception_without_its_weights_says_where_to_get_them(workplace, cache, capsys):
    words = ["model=ddpm_unet", *TINY, "evaluate.features=inception"]
    assert train_command(CONF, [*words, "evaluate.inception_weights=nowhere.pth", "out=run"]) == 2
    err = capsys.readouterr().err
    assert "no such file" in err or "pip install" in err


def test_real_images_score_as_their_floor_and_noise_does_not(workplace, cache, config):
    words = ["model=ddpm_unet", "data.limit_train=3000", "data.limit_test=3000"]
    data = Assembly(config(*words)).data
    features = choose_features(None, data)
    real = {s: real_statistics(data, s, features) for s in ("train", "test")}
    again = real_statistics(data, "test", features)
    torch.testing.assert_close(again.covariance, real["test"].covariance)
    halves = real["train"].features.double().split(1500)
    row = distances(halves[0], real["test"], halves[1], 0)
    assert row["FID"] == pytest.approx(row["FID floor"], rel=0.3)
    other = halves[1]
    assert row["precision %"] > 70
    assert abs(row["KID"] - row["KID floor"]) < 3 * max(row["KID sd"], row["KID floor sd"])
    noise = features(torch.rand(500, 1, 28, 28)).features
    far = distances(noise, real["test"], other, 0)
    assert far["FID"] > 20 * row["FID"]
    assert far["KID"] > 20 * abs(row["KID"])
    assert far["recall %"] < 5
    labels = labels_to_draw(data, 20_000, 0)
    expected = torch.bincount(data.split("train").labels, minlength=10) / 3000
    found = torch.bincount(labels, minlength=10) / 20_000
    assert (found - expected).abs().max() < 0.02


def test_judges_look_at_images_of_their_kind_alone(workplace):
    class Colour:
        channels = 3

    with pytest.raises(UserError, match="channels"):
        choose_features("judge", Colour())
    colour = choose_features(None, Colour())
    assert colour.name == "cifar_judge"
    assert colour(torch.rand(2, 3, 32, 32)).features.shape == (2, colour.size)
    features = choose_features("judge", type("Grey", (), {"channels": 1}))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        features(2 * torch.rand(2, 1, 28, 28))
    with pytest.raises(ValueError, match="expected float"):
        features(torch.rand(2, 3, 28, 28))


def folder_of(path: Path, counts: dict[str, int], size: tuple[int, int]) -> Path:
    """Images of noise, `size` as PIL has it, a sub-folder for each name ("" for none)."""
    generator = torch.Generator().manual_seed(0)
    for name, count in counts.items():
        (path / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            noise = torch.randint(0, 256, (size[1], size[0]), generator=generator)
            Image.fromarray(noise.to(torch.uint8).numpy()).save(path / name / f"{i}.png")
    return path


@pytest.mark.parametrize("counts", [{"": 60}, {"a": 55, "b": 2}])
@pytest.mark.parametrize("conditional", ["true", "false"])
def test_figures_of_one_class_of_rare_ones_and_of_oblong_images(
    workplace, cache, monkeypatch, counts, conditional
):
    monkeypatch.undo()  # figures are drawn here
    monkeypatch.chdir(workplace)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    root = folder_of(Path("p"), counts, (20, 12))
    words = [
        *(word for word in TINY if not word.startswith(("data.", "evaluate.track"))),
        *("model=ddpm_unet", "data=image_folder", f"data.root={root}"),
        *("data.image_size=[12,20]", "data.channels=1", "evaluate.track=0", "out=run"),
        "data.test=0.3",
        f"model.conditional={conditional}",
    ]
    assert train_command(CONF, words) == 0
    run = RunFolder("run")
    assert {"samples", "interpolation", "noise"} <= {p.stem for p in run.figures.iterdir()}
    metrics = run.read_json("metrics")
    assert "per_class" not in metrics  # the judge of digits knows none of these
    assert "floors of" in metrics["protocol"]["real"]


def test_a_guide_of_other_images_is_refused(workplace, cache, capsys):
    root = folder_of(Path("p"), {"a": 30, "b": 30}, (28, 28))
    words = [
        *("model=noisy_classifier", "data=image_folder", f"data.root={root}", "epochs=1"),
        *("data.image_size=[28,28]", "data.channels=1", "network.width=8", "accelerator=cpu"),
    ]
    assert train_command(CONF, [*words, "schedule.steps=20", "out=guide"]) == 0
    capsys.readouterr()
    assert train_command(CONF, ["model=ddpm_unet", *TINY, "model.guide=guide", "out=run"]) == 2
    assert "classes a, b" in capsys.readouterr().err

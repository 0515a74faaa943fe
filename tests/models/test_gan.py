"""The GAN: what it refuses, how it trains, and runs of it from the command line."""

import csv
import json
import signal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from diffstn.build import load_model
from diffstn.callbacks.last_checkpoint import STOP, LastCheckpoint
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.codecs.as_is import AsIs
from diffstn.data.batches import SampleBatch
from diffstn.data.facts import Facts
from diffstn.models.gan import GAN
from diffstn.models.generates import Generates, Styled
from diffstn.networks.discriminators.mlp import MLPDiscriminator
from diffstn.networks.generators.mlp import MLPGenerator
from diffstn.optim.lr_schedules import constant
from diffstn.store.run_folder import RunFolder
from tests.conftest import SMALL
from tests.forked import Forked, two_ranks

NETS = [
    *("generator.width=4", "generator.most=8", "generator.style=8", "generator.latent=8"),
    *("discriminator.width=4", "discriminator.most=8"),
]
IMAGES = ["model=gan", *NETS, *SMALL, "data.limit_train=96", "data.batch_size=16", "task.track=0"]
DIGITS = [
    *("data.limit_train=300", "data.limit_val=140", "data.limit_test=300", "task.samples=140"),
    *("task.track=130", "data.batch_size=60"),
]
POINTS = [
    *("model=gan_points", "generator.width=16", "discriminator.width=16", "data.train=320"),
    *("data.val=32", "data.test=32", "data.batch_size=40", "epochs=2", "accelerator=cpu"),
    *("report=false", "data.shape=ring8", "task.samples=64"),
]


def model(classes: str = "a", lr: float = 4e-3, **settings: Any) -> GAN:
    torch.manual_seed(0)
    return GAN(
        facts=Facts(kind="points", classes=tuple(classes), dim=2),
        generator=partial(MLPGenerator, latent=4, width=16, layers=2),
        discriminator=partial(MLPDiscriminator, width=16, layers=2),
        codec=AsIs(),
        optimizer=partial(torch.optim.Adam, lr=lr, betas=(0.0, 0.9)),
        lr_scheduler=constant,
        **settings,
    )


class Alone:
    """What a step of training asks its trainer for, without one."""

    world_size, max_steps, estimated_stepping_batches = 1, -1, 100

    class strategy:
        @staticmethod
        def reduce(value: torch.Tensor, reduce_op: str) -> torch.Tensor:
            return value


def taught(gan: GAN, items: torch.Tensor, label: torch.Tensor, steps: int) -> list[float]:
    """Train on one batch, as Lightning would; the losses' sums."""
    gan._trainer = Alone()  # type: ignore[assignment]
    gan.__class__ = type("Driven", (GAN,), {"global_step": 0, "trainer": Alone()})
    optimizers = [one["optimizer"] for one in gan.configure_optimizers()]
    for one in optimizers:
        one.optimizer = one
    driven: Any = gan
    driven.optimizers, driven.lr_schedulers = lambda: optimizers, list
    driven.manual_backward, driven.log_dict = lambda loss: loss.backward(), lambda *_, **__: None
    found = []
    for step in range(steps):
        type(gan).global_step = 2 * step
        found.append(float(gan.training_step(SampleBatch(items, label), step)))
    return found


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"loss": "hinge", "conditional": True},
        {"loss": "wgan_gp", "discriminator_steps": 6, "discriminator_lr": 5e-3, "lr": 1e-3},
        {"unrolled_steps": 3, "penalty_weight": 0.0, "conditional": True},
    ],
    ids=["non_saturating", "hinge", "wgan_gp", "unrolled"],
)
def test_samples_go_where_the_data_are(settings: dict[str, Any]):
    gan = model("ab", **settings)
    label = torch.arange(2).repeat(96)
    items = torch.tensor([1.5, -1.0]) + 0.1 * torch.randn(192, 2)
    noise = torch.randn(256, 4)
    before = gan.generate(noise, label.repeat(2)[:256]).mean(0)
    losses = taught(gan, items, label, 100)
    after = gan.generate(noise, label.repeat(2)[:256]).mean(0)
    assert all(map(torch.isfinite, torch.tensor(losses)))
    away = torch.tensor([1.5, -1.0])
    assert float((after - away).norm().detach()) < 0.5 * float((before - away).norm().detach())


def test_gradients_of_one_network_do_not_reach_the_other():
    gan = model()
    items, label = torch.randn(16, 2), torch.zeros(16).long()
    gan.discriminator_loss(items, label, step=0)[1].backward()
    assert all(p.grad is None for p in gan.generator.parameters())
    assert all(p.grad is not None for p in gan.discriminator.parameters())
    gan.discriminator.requires_grad_(False)
    gan.generator_loss(items, label, None).backward()
    assert all(p.grad is not None for p in gan.generator.parameters())


@pytest.mark.parametrize("loss", ["non_saturating", "hinge", "wgan_gp"])
def test_unrolled_the_generator_maximises_the_loss_of_the_discriminator_to_come(loss: str):
    """That of real items, too: what it foresees of these is what keeps modes apart."""
    gan = model(loss=loss, unrolled_steps=2, penalty_weight=0.0)
    gan._trainer = Alone()  # type: ignore[assignment]
    optimizer = SimpleNamespace(optimizer=torch.optim.Adam(gan.discriminator.parameters(), 1e-2))
    items, label = torch.randn(32, 2), torch.zeros(32).long()
    torch.manual_seed(3)
    told = gan.generator_loss(items, label, optimizer)
    torch.manual_seed(3)
    fake = gan.items(gan.noise_like(items), label)
    ahead = gan.foreseen(items, fake, label, optimizer.optimizer)
    real, false = (gan.scores(some, label, ahead) for some in (items, fake))
    torch.testing.assert_close(told, -gan.loss.discriminator(real, false))
    now = -gan.loss.discriminator(gan.scores(items, label), gan.scores(fake, label))
    assert told.item() > now.item() + 1e-3  # the discriminator has got better


def test_it_generates_and_has_styles_and_samples_by_its_seed():
    gan = model("abc", conditional=True)
    assert isinstance(gan, Generates)
    assert isinstance(gan, Styled)
    assert torch.equal(gan.sample(5, seed=1), gan.sample(5, seed=1))
    assert not torch.equal(gan.sample(5, seed=1), gan.sample(5, seed=2))
    torch.testing.assert_close(gan.sample(5, "b"), gan.sample(5, "b", batch_size=2))
    assert not torch.allclose(gan.sample(5, "b"), gan.sample(5, torch.full((5,), 2)))
    means = gan.sample(5, "b", truncation=0.0)  # all the same: the class's mean style
    torch.testing.assert_close(means, means[:1].expand(5, -1))
    for wrong, said in (({"label": "d"}, "the classes are a, b, c"), ({"n": 0}, "one item")):
        with pytest.raises(ValueError, match=said):
            gan.sample(**{"n": 2, **wrong})
    with pytest.raises(ValueError, match="trained without labels"):
        model().sample(2, label=0)
    with pytest.raises(ValueError, match="pass label"):
        gan.styles(torch.randn(2, 4))


def checkpoint(run: str) -> dict[str, Any]:
    return torch.load(Path(run, "checkpoints", "last.ckpt"), weights_only=True)


def rows(run: str) -> list[dict[str, str]]:
    with Path(run, "metrics.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    "words",
    [
        [*IMAGES, "model.augment_target=0.6", "model.augment_thousands=1.0", "epochs=2"],
        pytest.param([*POINTS, "model.penalty_interval=3"], marks=pytest.mark.slow),
        pytest.param(
            [*IMAGES, "model.conditional=true", "trainer.precision=bf16", "epochs=2"],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["images", "points", "bf16"],
)
def test_a_run_stopped_within_epochs_ends_to_the_bit_as_one_that_was_not(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
):
    monkeypatch.setattr("diffstn.runs.train.evaluated", lambda *_: ({}, []))
    assert train_command([*words, "out=straight"]) == 0
    left = [6, 18]  # optimiser steps: after three batches and nine

    def asked(self: LastCheckpoint, trainer: Any) -> int:
        if left and trainer.global_step == left[0]:
            return STOP + signal.SIGTERM + 0 * left.pop(0)
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(LastCheckpoint, "asked", asked)
        assert train_command([*words, "out=stopped"]) == 143
        torch.manual_seed(12345)
        assert train_command(["out=stopped", "resume=true"]) == 143
        assert train_command(["out=stopped", "resume=true"]) == 0
    ours, theirs = checkpoint("straight"), checkpoint("stopped")
    for key in ("state_dict", "ema_state_dict"):
        for name, value in ours[key].items():
            assert torch.equal(value, theirs[key][name]), (key, name)
    if "model.augment_thousands=1.0" in words:
        assert float(ours["state_dict"]["augmentation.sums"][1]) or float(
            ours["state_dict"]["augmentation.p"]
        )
    assert rows("straight") == rows("stopped")


def test_steps_are_counted_of_both_optimisers_whatever_the_discriminator_takes(workplace: Path):
    """One batch is two steps, and `max_steps` counts them all."""
    words = [*POINTS, "trainer.max_steps=12", "lr_scheduler=cosine", "out=run"]
    assert train_command(words) == 0
    content = checkpoint("run")
    assert content["global_step"] == 12
    rates = [group["lr"] for group in content["optimizer_states"][0]["param_groups"]]
    assert max(rates) < 1e-9  # the schedule ended when the training did
    steps = {int(s["step"]) for s in content["optimizer_states"][1]["state"].values()}
    assert steps == {6 * 5}


def test_losses_that_are_no_numbers_stop_the_run_in_either_network(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in ("generator_loss", "discriminator_loss"):
        with monkeypatch.context() as patch:
            own = getattr(GAN, name)

            def explode(self: GAN, *given: Any, own: Any = own, **named: Any) -> Any:
                factor = torch.nan if self.global_step >= 18 else 1.0
                made = own(self, *given, **named)
                return (made[0], made[1] * factor) if isinstance(made, tuple) else made * factor

            patch.setattr(GAN, name, explode)
            assert train_command([*POINTS, f"out={name}"]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("error: the loss became nan at step 20 (epoch 2)")
        content = checkpoint(name)
        assert content["global_step"] == 16
        assert all(v.isfinite().all() for v in content["state_dict"].values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model=gan", "model.augment_p=1.5"], "model.augment_p=1.5"),
        (["model=gan", "model.augment_p=-0.1"], "model.augment_p=-0.1"),
        (["model=gan", "model.augment_target=2.0"], "between -1 and 1"),
        (["model=gan", "model.loss=best"], "unknown loss"),
        (["model=gan", "model.discriminator_lr=0.0"], "discriminator_lr must be positive"),
        (["model=gan", "model.unrolled_steps=2", "optimizer=rmsprop"], "optimizer=adam"),
        (["model=gan", "data.batch_size=2", "model.discriminator_steps=3"], "make it larger"),
        (["model=gan", "discriminator=mlp"], "it needs single points"),
        (["model=gan", "trainer.gradient_clip_val=1.0"], "takes its steps by itself"),
        (["model=gan_points", "data=mnist"], "single points"),
        (["model=gan_points", "generator=stylegan"], "asks for 'channels'"),
        (["model=gan_points", "+model.augment_p=0.5"], "augmentation is for images"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(
    workplace: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert train_command([*words, "accelerator=cpu", "out=refused"]) == 2
    error = capsys.readouterr().err
    assert said in error, error
    assert error.count("\n") == 1
    assert not Path("refused/checkpoints").exists()


def test_a_run_of_images_from_training_to_numbers_and_figures(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(workplace / "cache"))
    words = ["model.conditional=true", "model.augment_target=0.6", "epochs=1", "out=run"]
    assert train_command([*IMAGES, *DIGITS, *words]) == 0
    run = RunFolder("run")
    metrics = run.read_json("metrics")
    assert metrics["generation"]["test"]["FID"] > metrics["generation"]["test"]["FID floor"]
    assert list(metrics["monitored"]) == ["val/distance"]
    assert {"val/fid", "val/distance", "train/augment_p", "train/sign_real"} <= set(rows("run")[0])
    names = {path.stem for path in run.figures.glob("*.png")}
    assert {"samples", "interpolation", "truncation", "memorisation", "training"} <= names
    gan: Any = load_model(run)
    assert gan.sample(3, label=4).shape == (3, 1, 28, 28)
    assert gan.generator.mapping.mean.any()
    task = ["run=run", "accelerator=cpu", "model.truncation=0.5", "figures=false", "n=3"]
    assert run_command("sample", [*task, "save=npz", "out=kept"]) == 0


def test_a_run_of_points_counts_modes_and_a_sweep_of_them_ends_in_a_table(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert train_command(["-m", *POINTS, "model.loss=wgan_gp,hinge", "epochs=1"]) == 0
    assert "modes found" in capsys.readouterr().out
    for path in Path().glob("**/metrics.json"):
        numbers = json.loads(path.read_text())["numbers"]
        assert 0 <= numbers["modes found"] <= 8
        assert 0 <= numbers["good points %"] <= 100


def test_a_compiled_discriminator_is_refused_where_its_slope_is_asked_for(
    workplace: Path, capsys: pytest.CaptureFixture[str]
):
    assert train_command([*POINTS, "compile=true", "out=run"]) == 2
    assert "compile=false" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow
def test_two_processes_train_the_same_networks(workplace: Path):
    """Each step uses one of the networks, and half a batch each learns what a whole one does."""
    words = [w for w in POINTS if w not in ("data.batch_size=40", "accelerator=cpu")]
    two = ["accelerator=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "data.batch_size=20"]
    both = two_ranks(lambda: train_command([*words, *two, "out=two"]), workplace)
    assert [one.wait() for one in both] == [0, 0], both[0].said.read_text()
    one = Forked(lambda: train_command([*POINTS, "out=one"]), workplace)
    assert one.wait() == 0, one.said.read_text()
    ours, theirs = (checkpoint(name)["state_dict"] for name in ("one", "two"))
    for name, value in ours.items():
        assert torch.allclose(value, theirs[name], rtol=1e-3, atol=1e-4), name

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from diffstn.errors import UserError
from diffstn.runs.checks import check_config, check_settings, try_out, without_effect
from diffstn.store.run_folder import PRETRAINED

Compose = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.steps=0", "schedule.steps=0: must be a whole number of at least 1"),
        ("schedule.steps=x", "schedule.steps=x: must be a whole number"),
        ("optimizer.lr=abc", "optimizer.lr=abc: must be a number"),
        ("data.batch_size=many", "data.batch_size=many: must be a whole number"),
        ("data.limit_train=1.5", "data.limit_train=1.5: must be a whole number or null"),
        ("epochs=0", "epochs=0: must be a whole number of at least 1"),
        ("epochs=2.5", "epochs=2.5: must be a whole number of at least 1"),
        ("seed=4294967296", "of at most 4294967295"),
        ("classifier.mode=joint", "write classifier=joint"),
        ("seed=-1", "seed=-1: must be a whole number of at least 0"),
        ("ema_decay=high", "ema_decay=high: must be a number of at least 0"),
        ("resume=maybe", "resume=maybe: must be true or false"),
        ("on_error=ignore", "on_error=ignore: must be one of continue, stop"),
        ("evaluate.weights=average", "evaluate.weights=average: must be one of ema, raw"),
        ("evaluate.hypotheses=[0]", "evaluate.hypotheses=[0]: must be a list"),
        ("sampler.hypotheses=0", "sampler.hypotheses=0: must be a whole number of at least 1"),
        ("sampler.combine=median", "must be one of mean, most_confident, agreement"),
        ("sampler.steps=many", "sampler.steps=many: must be a whole number or null"),
        ("sampler.steps=1001", "sampler.steps=1001: the schedule has 1 to 1000 steps"),
        ("+model.transformation=tsp", "must be one of affine, projective, tps or null"),
        ("network.width=wide", "network.width=wide: must be a whole number"),
        ("model.prediction=3", "model.prediction=3: must be text"),
        ("+network.widht=3", "no setting 'network.widht'; did you mean width?"),
        ("+optimizer.betsa=[0.9,0.99]", "no setting 'optimizer.betsa'; did you mean betas?"),
        ("+optimizer.betas=[0.9]", "optimizer.betas=[0.9]: must be a list [a number, a number]"),
        ("data.distortion.scale=[1,x]", "must be a list [a number, a number]"),
        ("data.distortion.translation=[1]", "must be a number or text"),
        ("encoder.widths=32", "encoder.widths=32: must be a list, each a whole number"),
        ("lr_scheduler.warmup=null", "lr_scheduler.warmup=null: must be a number"),
        ("accelerator.devices=all", "accelerator.devices=all: must be a whole number"),
        ("logger.name=paper", "logger.name=paper: must be one of csv, wandb, tensorboard"),
        ("frame=golden", "frame=golden: must be one of none, moments"),
    ],
)
def test_a_bad_value_is_one_clear_line(config: Compose, override: str, message: str):
    with pytest.raises(UserError) as caught:
        check_config(config("encoder=conv", override))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.batch_size=0", "data.batch_size is 0: it must be at least 1"),
        ("data.limit_test=-5", "data.limit_test is -5"),
        ("data.distortion.scale=[1.2,0.7]", "scale is (smallest, largest)"),
        ("optimizer.lr=-1", "optimizer: Invalid learning rate"),
        ("lr_scheduler.warmup=2", "lr_scheduler: "),
        ("model.prediction=noise", "unknown prediction 'noise'; choose one of eps, x0, v"),
        ("+network.time_features=7", "even number of features, got 7"),
        ("sampler.spacing=even", "DDIM: unknown spacing 'even'; choose one of"),
        ("sampler.eta=2", "eta must lie between"),
        ("schedule.s=-1", "Cosine: "),
        ("encoder.strides=[1]", "widths need as many strides, got 1"),
        ("encoder.features=-4", "ConvEncoder: "),
    ],
)
def test_a_value_out_of_range_is_its_constructors_line(
    config: Compose, override: str, message: str
):
    built = config("classifier=joint", "encoder=conv", override)
    check_config(built)
    with pytest.raises(UserError) as caught:
        try_out(built)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "torch.hub.load",
        "torch.optimal.SGD",
        "diffstn.runs.command.os.system",
        "diffstn.runs.command.Path",
        "torch.optim.optimizer.functools.partial",
    ],
)
@pytest.mark.parametrize("place", ["optimizer", "encoder", "data"])
def test_code_that_is_not_ours_is_not_run(config: Compose, target: str, place: str):
    tampered = config("classifier=joint")
    tampered[place]["_target_"] = target
    with pytest.raises(UserError, match=f"refusing to build '{target}'"):
        check_config(tampered)


def test_a_target_of_ours_that_does_not_exist_is_named(config: Compose):
    tampered = config("classifier=joint")
    tampered["encoder"]["_target_"] = "diffstn.networks.encoders.conv.ConvDecoder"
    with pytest.raises(UserError, match="ConvDecoder: there is no such class"):
        check_config(tampered)


def test_settings_that_an_older_run_did_not_have_are_passed_over(config: Compose):
    older = config("classifier=joint")
    del older["evaluate"], older["ema_decay"], older["frame"]
    check_config(older)


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("sample", {"per_class": 0}),
        ("sample", {"run": 3}),
        ("evaluate", {"split": "train"}),
        ("evaluate", {"hypotheses": [1, "all"]}),
        ("evaluate", {"limit": 0}),
        ("evaluate", {"checkpoint": "first"}),
    ],
)
def test_the_other_commands_settings_are_checked(command: str, settings: dict[str, Any]):
    [name] = settings
    with pytest.raises(UserError, match=f"^{name}="):
        check_settings(settings, command)


@pytest.mark.parametrize(
    "path", sorted(PRETRAINED.glob("*/config.yaml")), ids=lambda p: p.parent.name
)
def test_what_ships_can_be_built(path: Any):
    import yaml

    stored = yaml.safe_load(path.read_text())
    check_config(stored)
    try_out(stored)


@pytest.mark.parametrize("name", ["wandb", "tensorboard"])
def test_a_missing_logger_is_named_with_its_extra(
    config: Compose, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(UserError, match=rf"pip install 'diffstn\[{name}\]'"):
        check_config(config(f"logger={name}"))


def test_the_last_epoch_must_be_validated(config: Compose):
    with pytest.raises(UserError, match="validate_every=2 must divide epochs=3"):
        check_config(config("epochs=3", "validate_every=2"))


@pytest.mark.parametrize(
    ("model", "idle"),
    [
        ("diff_in_stn", []),
        ("pose_regression", ["schedule=linear", "schedule.steps=50"]),
        ("stn", ["schedule=linear", "schedule.steps=50"]),
    ],
)
def test_settings_that_a_model_does_not_use_are_named(config: Compose, model: str, idle: list[str]):
    words = ["schedule=linear", "schedule.steps=50", "sampler.combine=mean", "optimizer=sgd"]
    built = config(f"model={model}", *words)
    assert without_effect(built, words) == idle
    check_config(built)


def test_a_classifier_uses_neither_judge_nor_noise(config: Compose):
    words = ["classifier.run=x", "+schedule.x=1", "sampler=ddpm", "encoder=pool", "seed=2"]
    built = config("model=classifier", "data=mnist", "encoder=pool")
    assert without_effect(built, words) == words[:3]


def test_the_steps_of_a_sampler_that_nobody_uses_may_exceed_the_schedule(config: Compose):
    check_config(config("model=stn", "schedule.steps=5"))
    with pytest.raises(UserError, match="the schedule has 1 to 5 steps"):
        check_config(config("model=diff_in_stn", "schedule.steps=5"))

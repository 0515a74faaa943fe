"""Values of the wrong kind, and words that nothing reads."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from diffstn.build import build
from diffstn.errors import UserError
from diffstn.runs.settings import EvaluateSettings, SampleSettings, TrainSettings
from diffstn.runs.train import check
from diffstn.schema import check_config, check_settings

Compose = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def base() -> dict[str, Any]:
    from diffstn.cli.conf import training_config

    return training_config(["encoder=conv", "classifier=joint"])


def changed(base: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy with one value changed."""
    head, *rest = key.split(".", 1)
    inner = changed(base.get(head, {}), rest[0], value) if rest else value
    return {**base, head: inner}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("schedule.steps", "x", "schedule.steps=x: must be a whole number"),
        ("optimizer.lr", "abc", "optimizer.lr=abc: must be a number"),
        ("optimizer.lr", math.inf, "optimizer.lr=inf: must be a finite number"),
        ("optimizer.weight_decay", math.nan, "must be a finite number"),
        ("data.batch_size", "many", "data.batch_size=many: must be a whole number"),
        ("data.limit_train", 1.5, "data.limit_train=1.5: must be a whole number or null"),
        ("epochs", 0, "epochs=0: must be a whole number of at least 1"),
        ("epochs", 2.5, "epochs=2.5: must be a whole number of at least 1"),
        ("seed", 2**32, "of at most 4294967295"),
        ("seed", -1, "seed=-1: must be a whole number of at least 0"),
        ("ema_decay", "high", "ema_decay=high: must be a number of at least 0"),
        ("ema_decay", 2, "of at most 1"),
        ("resume", "maybe", "resume=maybe: must be true or false"),
        ("on_error", "ignore", "on_error=ignore: must be one of continue, stop"),
        ("trust", "mypkg", "trust=mypkg: must be a list, each text"),
        ("evaluate.weights", "average", "evaluate.weights=average: must be one of ema, raw"),
        ("task.hypotheses", [0], "task.hypotheses=[0]: must be"),
        ("task.split", "train", "task.split=train: must be one of test, val"),
        ("model.hypotheses", "many", "model.hypotheses=many: must be a whole number"),
        ("sampler.steps", "many", "sampler.steps=many: must be a whole number or null"),
        ("network.width", "wide", "network.width=wide: must be a whole number"),
        ("network.widht", 3, "no setting 'network.widht'; did you mean width?"),
        ("model.prediction", 3, "model.prediction=3: must be text"),
        ("optimizer.betsa", [0.9, 0.99], "no setting 'optimizer.betsa'; did you mean betas?"),
        ("optimizer.betas", [0.9], "optimizer.betas=[0.9]: must be a list [a number, a number]"),
        ("data.distortion.scale", [1, "x"], "must be a list [a number, a number]"),
        ("data.distortion.translation", [1], "must be a number or text"),
        ("encoder.widths", 32, "encoder.widths=32: must be a list, each a whole number"),
        ("lr_scheduler.warmup", None, "lr_scheduler.warmup=null: must be a number"),
        ("frame", 3, "frame=3: must be text"),
        ("evaluate.nonsense", 1, "no setting 'evaluate.nonsense'"),
        ("nonsense", 1, "nonsense has no effect: model=diff_in_stn makes no use of it"),
        ("logger.entity", "x", "no setting 'logger.entity'"),
        ("optimizer._target_", "torch.optim.SGDD", "torch.optim.SGDD: there is no such class"),
        ("optimizer._target_", "nothing.at.all", "No module named 'nothing'"),
    ],
)
def test_a_bad_value_is_one_clear_line(base: dict[str, Any], key: str, value: Any, message: str):
    with pytest.raises(UserError) as caught:
        check_config(changed(base, key, value), TrainSettings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data.batch_size", 0, "data.batch_size is 0: it must be at least 1"),
        ("data.limit_test", -5, "data.limit_test is -5"),
        ("data.distortion.scale", [1.2, 0.7], "scale is (smallest, largest)"),
        ("model.prediction", "noise", "unknown prediction 'noise'; choose one of eps, x0, v"),
        ("model.combine", "median", "choose mean, most_confident, agreement"),
        ("model.transformation", "tsp", "choose affine, projective, tps"),
        ("model.kernel", "foo", "kernel=foo: choose"),
        ("model.padding", "foo", "padding=foo: choose"),
        ("model.noise_levels", 0, "noise_levels must be at least 1"),
        ("network.time_features", 7, "even number of features, got 7"),
        ("sampler.spacing", "even", "unknown spacing 'even'; choose one of"),
        ("sampler.steps", 1001, "cannot take 1001 sampling steps on a schedule of 1000"),
        ("sampler.eta", 2.0, "eta must lie between"),
        ("schedule.steps", 0, "schedule"),
        ("schedule.s", -1.0, "schedule: "),
        ("encoder.strides", [1], "widths need as many strides, got 1"),
        ("encoder.features", -4, "model=diff_in_stn: "),
        ("frame", "golden", "frame=golden: choose none, moments"),
    ],
)
def test_a_value_out_of_range_is_its_constructors_line(
    base: dict[str, Any], key: str, value: Any, message: str
):
    config = changed(base, key, value)
    check_config(config, TrainSettings)
    with pytest.raises(UserError) as caught:
        build(config)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_the_trainer_and_loggers_do_not_have_is_refused(base: dict[str, Any]):
    with pytest.raises(UserError, match=r"no setting 'trainer.max_step'; did you mean max_steps"):
        check(changed(base, "trainer.max_step", 3))
    settings = {**base["trainer"], "max_epochs": 3, "check_val_every_n_epoch": 2}
    with pytest.raises(UserError, match="validate_every=2 must divide epochs=3"):
        check({**base, "trainer": settings})


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (SampleSettings, {"n": 0}),
        (SampleSettings, {"save": "jpg"}),
        (SampleSettings, {"run": 3}),
        (EvaluateSettings, {"checkpoint": "first"}),
        (EvaluateSettings, {"seed": -1}),
    ],
)
def test_the_other_commands_settings_are_checked(kind: type, settings: dict[str, Any]):
    [name] = settings
    with pytest.raises(UserError, match=f"^{name}="):
        check_settings(settings, kind)


@pytest.mark.parametrize("key", ["optimizer.lr", "data.distortion.rotation", "anything.at.all"])
def test_no_number_is_nan_or_infinite(base: dict[str, Any], key: str):
    for value in (math.nan, -math.inf, [1.0, math.inf]):
        with pytest.raises(UserError, match=f"{key}=.*must be a finite number"):
            check_config(changed(base, key, value), TrainSettings)


@pytest.mark.parametrize("value", [None, 3, {}, {"_target_": 3}])
def test_a_model_is_named(base: dict[str, Any], value: Any):
    with pytest.raises(UserError):
        check_config({**base, "model": value}, TrainSettings)

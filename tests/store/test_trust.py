"""A stranger's run folder runs no code."""

from pathlib import Path

import pytest
import yaml

from diffstn.cli.conf import CONF
from diffstn.errors import UserError
from diffstn.located import located
from diffstn.store.trust import check_places, check_targets


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "torch.hub.load",
        "torch.optimal.SGD",
        "diffstn.runs.train.Path",
        "diffstn.store.run_folder.os.system",
        "torch.optim.optimizer.functools.partial",
        "pytorch_lightning.callbacks.checkpoint.Callback.__class__",
        "diffstnx.evil",
    ],
)
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: {"a": [{"b": n}]}])
def test_code_that_is_not_ours_is_refused(target: str, wrap):
    with pytest.raises(UserError, match=r"refusing to build|there is no such class"):
        check_targets(wrap({"_target_": target}))


def test_what_is_trusted_passes():
    check_targets({"_target_": "torch.optim.AdamW", "x": [{"_target_": "diffstn.models.stn.STN"}]})
    with pytest.raises(UserError, match=r"pass trust=\[json\]"):
        check_targets({"_target_": "json.dumps"})
    check_targets({"_target_": "json.dumps"}, ["json"])


def test_names_are_located_and_slips_explained():
    assert located("diffstn.models.stn.STN").__name__ == "STN"
    for name, reason in [
        ("diffstn.models.stn.STM", "has no attribute 'STM'"),
        ("nothing.at.all", "No module named 'nothing'"),
        ("plain", "it is no dotted name"),
    ]:
        with pytest.raises(UserError, match=reason):
            located(name)


@pytest.mark.parametrize(
    "target",
    [
        "diffstn.located.located",
        "diffstn.library.train",
        "diffstn.store.saved.saved",
        "diffstn.store.stopping.requeue",
        "diffstn.tasks.correct_folder.correct_folder",
        "diffstn.data.sources.cifar10.load_cifar10",
        "diffstn.data.sources.cifar10._download",
    ],
)
def test_ours_that_writes_or_fetches_is_no_part_of_a_run(target: str):
    with pytest.raises(UserError, match="refusing to build"):
        check_targets({"x": {"_target_": target}})


def test_what_ships_is_made_of_trusted_parts():
    for path in CONF.glob("**/*.yaml"):
        if path.parent.name != "hydra":
            check_targets(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("settings", "fits"),
    [
        ({"dirpath": None, "filename": "{epoch}-{val/accuracy:.2f}", "monitor": "val/loss"}, True),
        ({"dirpath": "run/checkpoints/more"}, True),
        ({"dirpath": "elsewhere"}, False),
        ({"dirpath": "run/../elsewhere"}, False),
        ({"filename": "../../x"}, False),
        ({"filename": "/x"}, False),
        ({"save_dir": "/"}, False),
        ({"version": "../x"}, False),
        ({"tracking_uri": "http://localhost"}, False),
        ({"tracking_uri": "file:x"}, False),
        ({"settings": {"root_dir": ["x"]}}, False),
        ({"name": "tensorboard", "project": "diffstn", "tags": ["a/b"]}, True),
    ],
)
def test_callbacks_and_loggers_of_a_run_write_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], fits: bool
):
    monkeypatch.chdir(tmp_path)
    for group in ("callbacks", "logger"):
        config = {group: {"x": {"_target_": "a.B", **settings}}}
        if fits:
            check_places(config, Path("run"))
            continue
        with pytest.raises(UserError, match="refusing to write to") as caught:
            check_places(config, Path("run"))
        place = str(caught.value).split("'")[1]
        check_places(config, Path("run"), [place])


@pytest.mark.parametrize("place", ["a\0b", "/a\0b", "a\ud800b"])
def test_places_that_cannot_be_are_refused(place: str):
    with pytest.raises(UserError, match="refusing to write to") as caught:
        check_places({"logger": {"x": {"save_dir": place}}}, Path("run"))
    assert str(caught.value).isprintable()

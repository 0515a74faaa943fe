"""Configurations, words and files at random: read, or refused in one line."""

import random
import string
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diffstn.cli.refusals import parse
from diffstn.errors import UserError
from diffstn.library import compose
from diffstn.runs.settings import TrainSettings
from diffstn.runs.train import check
from diffstn.schema import check_config
from diffstn.signatures import signature
from diffstn.store.run_folder import RunFolder
from diffstn.store.trust import check_places, check_targets
from diffstn.words import one_line
from tests.hostile.mutations import VALUES, exchanged, mutated

FEW = settings(
    max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
MANY = settings(FEW, max_examples=20)
SCALARS = st.one_of(
    st.sampled_from([one for one in VALUES if not isinstance(one, list | dict)]),
    st.integers(),
    st.floats(),
    st.text(string.printable, max_size=20),
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(string.ascii_letters + "_", max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def refusal(work: Callable[[], Any]) -> str:
    """What a UserError says, if there is one; any other error is none of these."""
    try:
        work()
    except UserError as error:
        return str(error)
    return ""


def keys(node: Any, prefix: str = "") -> list[str]:
    """Dotted keys of nested groups."""
    found = []
    for name, value in node.items():
        found.append(prefix + name)
        if isinstance(value, dict):
            found += keys(value, f"{prefix}{name}.")
    return found


def shipped(name: str = "diff_in_stn_full") -> dict[str, Any]:
    from diffstn.store.run_folder import PRETRAINED

    return yaml.safe_load((PRETRAINED / name / "config.yaml").read_text())


KEYS = [key for key in keys(shipped()) if not key.startswith("choices")]


def asked(config: Any, folder: Path) -> None:
    """What evaluate.py and a training that is resumed ask of a configuration before they build."""
    run = RunFolder(folder)
    run.write("config.yaml", yaml.safe_dump(config))
    found = run.read_config()
    check_targets(found)
    check_places(found, run.path)
    check_config(found, TrainSettings, signature)
    check_config(found, TrainSettings)


@MANY
@given(key=st.sampled_from(KEYS), value=NESTED)
def test_a_value_of_a_strangers_configuration_fits_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: Any
):
    config = shipped()
    *parts, last = key.split(".")
    node = config
    for part in parts:
        node = node[part]
    node[last] = value
    said = refusal(lambda: asked(config, tmp_path_factory.mktemp("run")))
    assert len(one_line(said)) <= 400


@MANY
@given(content=NESTED)
def test_any_content_of_a_configuration_is_refused(
    tmp_path_factory: pytest.TempPathFactory, content: Any
):
    with pytest.raises(UserError):
        asked(content, tmp_path_factory.mktemp("run"))


@FEW
@given(key=st.sampled_from(KEYS), value=SCALARS)
def test_an_override_is_composed_or_refused(key: str, value: Any):
    word = f"{key}={'null' if value is None else value}"
    assert len(one_line(refusal(lambda: check(compose([word]))))) <= 400


@MANY
@given(word=st.text(max_size=40))
def test_any_word_is_an_override_or_none(word: str):
    assert refusal(lambda: parse([word])) is not None


@pytest.mark.slow  # `make fuzz` does the same for a minute with every change
@pytest.mark.skipif(sys.platform != "linux", reason="processes are watched by /proc")
def test_damaged_files_of_every_format_are_read_or_refused(
    tmp_path: Path, runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    from tests.hostile.formats import all_formats
    from tests.hostile.fuzz import batch
    from tests.hostile.good import quick

    quick(monkeypatch)
    formats = all_formats(runs)
    for seed, one in enumerate(formats):
        assert not batch(one, formats, tmp_path / "try", seed, files=1)


def test_mutations_change_files_and_keep_their_kind():
    chance = random.Random(0)
    good = b"".join(bytes([i]) for i in range(200))
    assert sum(mutated(good, good, chance) != good for _ in range(50)) >= 45
    for name in ("a.json", "a.yaml"):
        found = [exchanged(b'{"a": 1, "b": {"c": [2, 3]}}', name, chance) for _ in range(50)]
        assert len(set(found)) > 20
        assert all(yaml.safe_load(one) is not Ellipsis for one in found if b"\\" not in one)

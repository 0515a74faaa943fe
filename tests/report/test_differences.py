"""In what runs differ."""

from pathlib import Path
from typing import Any

from diffstn.report.differences import ABSENT, differences, flat, said
from diffstn.report.recorded import Recorded


def run(words: list[str] | None = None, **config: Any) -> Recorded:
    return Recorded(Path("x"), "x", config=config, words=words or [])


def test_a_configuration_is_said_as_it_is_typed():
    nested = {"a": {"b": [1, None], "c": {}}, "d": True}
    assert flat(nested) == {"a.b": "[1, null]", "a.c": "{}", "d": "true"}
    assert said({"k": [0.5, {"x": False}]}) == "{k: [0.5, {x: false}]}"


def test_what_was_asked_for_comes_first_and_what_follows_is_folded():
    runs = [
        run(
            [f"schedule={name}", f"epochs={epochs}"],
            choices={"schedule": name, "data": "mnist"},
            schedule={"_target_": name, **more},
            epochs=epochs,
            trainer={"max_epochs": epochs},
            out=f"runs/{name}",
        )
        for name, epochs, more in (("linear", 1, {"start": 1}), ("cosine", 2, {"s": 3}))
    ]
    found = differences(runs)
    assert found.first == ["schedule", "epochs"]
    assert found.further == ["schedule.start", "schedule.s"]  # and not trainer.max_epochs
    assert found.values[0] == {
        **{"schedule": "linear", "epochs": "1"},
        **{"schedule.start": "1", "schedule.s": ABSENT},
    }
    assert found.label(1) == "schedule=cosine, epochs=2"


def test_seeds_stand_together_whatever_follows_the_seed():
    runs = [
        run(["seed=1"], seed=seed, data={"seed": seed, "root": root}, out=str(seed))
        for root in ("a", "b")
        for seed in (1, 2)
    ]
    found = differences(runs)
    assert found.groups() == [[0, 1], [2, 3]]
    assert found.varied == []  # nobody asked for another root
    assert found.further == ["data.root"]
    alone = differences(runs[:2])
    assert alone.groups() == [[0, 1]]
    assert alone.label(0) == ""


def test_runs_without_a_configuration_differ_in_their_words():
    found = differences([run(["model=a", "out=x"]), run(["model=b", "out=y"])])
    assert found.first == ["model"]
    assert [one["model"] for one in found.values] == ["a", "b"]
    assert differences([run(), run()]).groups() == [[0, 1]]

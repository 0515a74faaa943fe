"""Which numbers of hypotheses are looked at, and the table of what was found."""

from types import SimpleNamespace

import pytest

from diffstn.tasks.correct import Correct


@pytest.mark.parametrize(
    ("asked", "own", "fixed", "counts"),
    [
        ((1,), 1, None, [1]),
        ((16, 1), 4, None, [1, 4, 16]),
        (3, 1, None, [1, 3]),
        ((1, 16), 1, 5, [5]),
    ],
)
def test_the_models_own_number_is_always_evaluated(asked, own, fixed, counts):
    model = SimpleNamespace(hypotheses=own, fixed_hypotheses=fixed)
    assert Correct(hypotheses=asked).counts(model) == counts


def test_a_limit_never_exceeds_the_split():
    data = SimpleNamespace(count=lambda split: {"test": 40, "val": 20}[split])
    assert Correct().total(data) == 40
    assert Correct(limit=12).total(data) == 12
    assert Correct(limit=1000, split="val").total(data) == 20


def test_a_pose_models_table():
    pose = {"rotation_deg": 1.234, "corner_px": 0.5}
    per_class = {"0": 99.0, "1": 97.0}
    metrics = {
        "uncorrected": 60.0,
        "oracle": 99.0,
        "k": {
            "1": {"accuracy": 97.0, "pose": pose, "per_class": {"0": 97.0, "1": 97.0}},
            "16": {"accuracy": 98.0, "pose": pose, "per_class": per_class},
        },
    }
    lines = Correct().table(metrics).splitlines()
    assert lines[0].split("|")[2:-1] == [" accuracy % ", " rotation ° ", " corners px "]
    assert [line.split("|")[1].strip() for line in lines[2:6]] == [
        "uncorrected",
        "corrected, k = 1",
        "corrected, k = 16",
        "oracle",
    ]
    assert "1.23" in lines[3]
    assert lines[-1].split("|")[2:-1] == [" 99.0 ", " 97.0 "]
    assert Correct.headline(metrics) == {
        "accuracy k=1": 97.0,
        "accuracy k=16": 98.0,
        "uncorrected": 60.0,
        "oracle": 99.0,
    }


def test_a_model_of_another_family_has_no_pose_errors():
    numbers = {"accuracy": 50.0, "pose": {}, "per_class": {"0": 50.0}}
    table = Correct().table({"uncorrected": 40.0, "oracle": 60.0, "k": {"1": numbers}})
    assert table.splitlines()[0].split("|")[1:-1] == ["             ", " accuracy % "]
    assert "| corrected   | 50.0 " in table


def test_the_images_of_one_batch_are_bounded():
    Correct(hypotheses=(1, 64), batch_size=1000)
    Correct(hypotheses=30_000, batch_size=2)
    for asked in (100_000, (1, 10**12)):
        with pytest.raises(ValueError, match=r"lower task.batch_size or task.hypotheses"):
            Correct(hypotheses=asked)

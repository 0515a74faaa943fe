"""Tables of whatever a task measured."""

import re

from diffstn.report.tables import measured


def rows(markup: str) -> list[list[str]]:
    """Cells of all tables, row by row."""
    found = re.findall(r"<tr>(.*?)</tr>", markup)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]


def test_mappings_of_a_kind_share_a_table_and_those_within_have_their_own():
    metrics = {
        "k": {
            "1": {"accuracy": 97.5, "pose": {"rotation": 3.25}},
            "16": {"accuracy": 98.0, "pose": {"rotation": 2.5, "shift": 1}},
        },
        "numbers": {"accuracy k=1": 97.5},
        "images": 40,
    }
    markup = measured(metrics)
    assert re.findall(r"<h3>(.*?)</h3>", markup) == ["k", "k · pose", "Further"]
    assert rows(markup) == [
        *(["", "accuracy"], ["1", "97.5"], ["16", "98"]),
        *(["", "rotation", "shift"], ["1", "3.25", ""], ["16", "2.5", "1"]),
    ]
    assert "<dt>images</dt><dd>40</dd>" in markup
    assert "accuracy k=1" not in markup


def test_a_mapping_of_values_is_a_row_and_a_confusion_a_matrix():
    markup = measured({"per_class": {"a": 1.0, "b": 0.5}, "confusion": [[3, 1], [0, 4]]})
    assert rows(markup) == [
        *(["", "a", "b"], ["", "1", "0.5"]),
        *(["", "0", "1"], ["0", "3", "1"], ["1", "0", "4"]),
    ]


def test_nothing_measured_is_nothing_shown():
    assert measured({"numbers": {"a": 1}, "seconds": 3}) == ""

import numpy as np
import pytest
from PIL import Image

from diffstn.errors import UserError
from diffstn.figures.curves import read_metrics, running_mean, training_curves

ROWS = """epoch,step,train/loss,val/loss,val/accuracy,note
0,50,0.9,,,a
0,100,0.5,,,b
0,100,,0.55,0.7,
1,150,nan,,,
1,200,0.25,,,
1,200,,0.3,0.8,
"""


@pytest.fixture
def metrics(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(ROWS)
    return path


def test_empty_and_non_finite_cells_are_skipped(metrics):
    series = read_metrics(metrics)
    assert set(series) == {"train/loss", "val/loss", "val/accuracy"}
    steps, values = series["train/loss"]
    assert steps.tolist() == [50, 100, 200]
    assert values.tolist() == [0.9, 0.5, 0.25]


def test_running_mean_keeps_constants_to_the_ends_and_averages_inside():
    assert running_mean(np.full(10, 3.0), 5) == pytest.approx(np.full(10, 3.0))
    values = np.arange(10.0) ** 2
    assert running_mean(values, 3)[4] == pytest.approx((9 + 16 + 25) / 3)
    assert running_mean(values, 3)[0] == pytest.approx((0 + 1) / 2)


def test_a_panel_for_each_kind(metrics, tmp_path):
    both = Image.open(training_curves(metrics, tmp_path / "new" / "both.png"))
    assert both.size == (1800, 640)
    only = tmp_path / "loss.csv"
    only.write_text("step,loss\n0,100\n1,0.1\n")
    assert Image.open(training_curves(only, tmp_path / "one.png")).size == (900, 640)


def test_a_run_of_one_epoch_has_axes_from_zero(tmp_path, monkeypatch):
    """Not an axis from 3.84 to 4.16 around a dot."""
    from matplotlib.figure import Figure

    kept = []
    monkeypatch.setattr(Figure, "savefig", lambda self, path: kept.append(self))
    path = tmp_path / "metrics.csv"
    path.write_text("step,val/loss,train/loss,val/accuracy\n4,0.2,8.0,0.75\n")
    training_curves(path, tmp_path / "curves.png")
    for axes, top in zip(kept[0].axes, (10, 0.9375), strict=True):
        assert axes.get_yscale() == "linear"
        assert axes.get_xlim() == (0, 8)
        assert axes.get_ylim() == pytest.approx((0, top))
        assert {line.get_marker() for line in axes.lines} == {"o"}


def test_long_curves_and_vector_formats(tmp_path):
    long = tmp_path / "long.csv"
    long.write_text("step,train_loss\n" + "".join(f"{i},{1 + i % 3}\n" for i in range(400)))
    path = training_curves(long, tmp_path / "long.svg")
    assert path.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("epoch,loss\n0,1\n", "no rows with a step"),
        ("step,lr\n0,0.1\n", "neither losses nor accuracies"),
    ],
)
def test_a_file_without_curves_is_refused(tmp_path, text, message):
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        training_curves(path, tmp_path / "p.png")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"point to the metrics\.csv"):
        training_curves(tmp_path / "none.csv", tmp_path / "p.png")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\0" * 9, b"step,x\n1," + b"9" * 2**18])
def test_a_damaged_file_is_refused_in_a_line(tmp_path, content):
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"^[^\n]*metrics.csv[^\n]*$"):
        read_metrics(path)


def test_what_no_axis_can_show_is_left_out(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,train/loss\n1,1e308\n2,0.5\n3,nan\n")
    assert read_metrics(path)["train/loss"][1].tolist() == [0.5]


def test_a_row_with_more_cells_than_the_header_keeps_those_that_have_a_name(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,train/loss\n1,0.5,7,8\n2,0.25\n")
    [(steps, values)] = read_metrics(path).values()
    assert list(steps) == [1, 2]
    assert list(values) == [0.5, 0.25]

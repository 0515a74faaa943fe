"""`diffstn correct FOLDER`, on a few real digits."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.build import load_model
from diffstn.cli.of_folders import folders_command
from diffstn.data.sources.mnist import load_mnist
from diffstn.tasks.correct_folder import places_of, read, stacks


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A folder of digits turned by quarters, in two folders, one in colour; and what they are."""
    folder = tmp_path_factory.mktemp("place") / "digits"
    images, labels = load_mnist()["test"]
    for i in range(8):
        turned = Image.fromarray(images[i].squeeze().numpy()).rotate(90 * i)
        path = folder / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        (turned.convert("RGB") if i == 3 else turned).save(path)
    (folder / "a" / "broken.png").write_bytes(b"no image")
    Image.new("L", (30, 7)).save(folder / "b" / "sliver.png")
    return folder, labels[:8].tolist()


def test_a_folder_is_turned_upright(
    digits: tuple[Path, list[int]], capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    folder, labels = digits
    out = tmp_path / "upright"
    assert (
        folders_command("correct", [str(folder), f"out={out}", "hypotheses=8", "batch_size=5"]) == 0
    )
    said = capsys.readouterr()
    assert f"wrote 8 images and corrections.csv to {out}" in said.out
    assert f"left out {folder / 'a' / 'broken.png'}: " in said.err
    assert f"left out {folder / 'b' / 'sliver.png'}: 7 × 30 pixels are too few" in said.err
    assert "broken.png" in said.err
    with (out / "corrections.csv").open(newline="") as file:
        rows = {Path(row["image"]).stem: row for row in csv.DictReader(file)}
    right = sum(rows[str(i)]["read as"] == str(label) for i, label in enumerate(labels))
    assert right >= 7
    assert all(0 < float(row["probability"]) <= 1 for row in rows.values())
    # PIL turns the other way: by 90 i degrees, of which a half turn of a 0 or an 8 is not seen
    off = [(float(rows[str(i)]["turn"]) + 90 * i + 180) % 360 - 180 for i in range(8)]
    assert np.median(np.abs(off)) < 20
    assert all(abs(float(row["shift x"])) < 0.2 for row in rows.values())
    originals = load_mnist()["test"][0]
    for i in range(8):
        corrected = np.asarray(Image.open(out / "ab"[i % 2] / f"{i}.png")).astype(float)
        assert corrected.shape == (28, 28)
        upright = originals[i].squeeze().numpy().astype(float)
        rows[str(i)]["likeness"] = str(np.corrcoef(corrected.ravel(), upright.ravel())[0, 1])
    assert np.median([float(row["likeness"]) for row in rows.values()]) > 0.6


def test_dark_on_paper_in_colour_is_read_and_written_as_it_is(tmp_path: Path):
    folder, out = tmp_path / "sheet", tmp_path / "upright"
    folder.mkdir()
    images, labels = load_mnist()["test"]
    for i in range(4):
        digit = Image.fromarray(images[i].squeeze().numpy()).resize((120, 120)).rotate(15)
        sheet = Image.new("RGB", (160, 130), (235, 230, 210))
        sheet.paste((20, 30, 140), (30, 5), digit)
        sheet.save(folder / f"{i}.png")
    assert folders_command("correct", [str(folder), f"out={out}"]) == 0
    with (out / "corrections.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["read as"] for row in rows] == [str(label) for label in labels[:4].tolist()]
    for row in rows:
        written = np.asarray(Image.open(row["written to"])).astype(float)
        assert row["abstain"] == ("yes" if float(row["confidence"]) < 0.8 else "no")
        assert min(written.shape[:2]) > 100
        assert np.abs(written[0, 0] - [235, 230, 210]).max() <= 2  # paper all over
        ink = written[written.sum(axis=2).argmin() // written.shape[1]]
        assert ink[:, 2].min() - ink[:, 0].min() > 60  # blue is left blue


def test_no_image_takes_the_place_of_another():
    names = ["a.jpg", "a.png", "a.jpg.png", "b.jpg", "b.jpeg", "c/a.jpg"]
    places = places_of([Path(name) for name in names])
    assert len({*places}) == len(names)
    assert [str(place) for place in places] == [
        "_a.jpg.png",
        "a.png",
        "a.jpg.png",
        "b.png",
        "b.jpeg.png",
        "c/a.png",
    ]


def test_large_images_are_not_all_held_at_once(
    digits: tuple[Path, list[int]], monkeypatch: pytest.MonkeyPatch
):
    paths = sorted(digits[0].rglob("?.png"))
    assert [len(stack) for stack in stacks(paths, (28, 28))] == [8]
    monkeypatch.setattr("diffstn.tasks.correct_folder.PIXELS", 3 * 28 * 28)
    assert [len(stack) for stack in stacks(paths, (28, 28))] == [3, 3, 2]
    assert [path for stack in stacks(paths, (28, 28)) for path in stack] == paths


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "which folder?"),
        (["nowhere"], "which folder?"),
        (["{folder}", "runs=x"], "no setting 'runs'; did you mean run?"),
        (["{folder}", "hypotheses=0"], "hypotheses=0: must be a whole number"),
        (["{folder}", "batch_size=many"], "batch_size=many: must be a whole number"),
        (["{folder}", "as_is=often"], "as_is=often: must be a number, 0 or more"),
        (["{folder}", "as_is=2", "run=pretrained/mnist_unet"], "corrects no images"),
        (["{folder}", "abstain_below=1.5"], "abstain_below=1.5: must be a number from 0 to 1"),
        (["{folder}", "device=abacus"], "device=abacus: "),
        (["{folder}", "out={folder}"], "is not empty: choose another out="),
        (["{folder}", "run=pretrained/judge"], "corrects no images"),
        (["{empty}"], "holds no images"),
    ],
)
def test_bad_input_gets_one_line(
    digits: tuple[Path, list[int]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
):
    empty = tmp_path / "empty"
    empty.mkdir()
    said = [word.format(folder=digits[0], empty=empty) for word in words]
    assert folders_command("correct", [*said, *([] if said else ["seed=1"])]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(empty.iterdir())


def test_words_are_read(digits: tuple[Path, list[int]]):
    words = ["seed=0", "hypotheses=4", "run=runs/mine", "as_is=2.5", "abstain_below=.5"]
    folder, settings = read([str(digits[0]), *words, "device=cpu", "trust=[mine,'theirs']"])
    assert folder == digits[0]
    assert (settings["seed"], settings["hypotheses"], settings["run"]) == (0, 4, "runs/mine")
    assert (settings["as_is"], settings["abstain_below"]) == (2.5, 0.5)
    assert settings["device"] == torch.device("cpu")
    assert settings["trust"] == ["mine", "theirs"]


def test_what_is_asked_for_reaches_the_model(
    digits: tuple[Path, list[int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    trusted = []

    def trusting(run: str, trust: list[str]):
        trusted.extend(trust)
        return load_model(run)

    monkeypatch.setattr("diffstn.tasks.correct_folder.load_model", trusting)
    asked = ["hypotheses=1", "as_is=1000000", "abstain_below=1", "trust=mine"]
    assert folders_command("correct", [str(digits[0]), f"out={tmp_path / 'out'}", *asked]) == 0
    assert trusted == ["mine"]
    with (tmp_path / "out" / "corrections.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["abstain"] for row in rows] == ["yes"] * 8
    assert sum(row["turn"] == "0.0000" for row in rows) >= 6  # as they are


def test_help_says_what_there_is(capsys: pytest.CaptureFixture[str]):
    assert folders_command("correct", ["--help"]) == 0
    assert "hypotheses" in capsys.readouterr().out

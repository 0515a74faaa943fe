import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.data.sources.image_folder import NAMED, ImageFolder, read_image
from diffstn.errors import UserError


def paint(path: Path, mode="RGB", size=(20, 12), colour=None):
    """`size` is PIL's: width, height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = colour or {"RGB": (250, 0, 0), "L": 200, "RGBA": (250, 0, 0, 0)}[mode]
    Image.new(mode, size, colour).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    for name, colour in (("cats", (250, 0, 0)), ("dogs", (0, 0, 250))):
        for i in range(40):
            paint(tmp_path / name / f"{i}.png", colour=colour)
    return tmp_path


def test_a_class_for_every_sub_folder_and_splits_that_share_nothing(folder):
    source = ImageFolder(str(folder), (8, 10), val=0.2, test=0.2)
    assert source.classes == ("cats", "dogs")
    assert (source.channels, source.size) == (3, (8, 10))
    splits = source.load()
    assert sum(len(s.labels) for s in splits.values()) == 80
    for split in splits.values():
        assert split.items.shape[1:] == (3, 8, 10)
        red = split.items[:, 0].float().mean((1, 2)) > 100
        assert ((split.labels == 0) == red).all()


def test_more_files_move_no_other_from_its_split(folder):
    for i in range(40):  # every image is told by its blue
        paint(folder / "cats" / f"{i}.png", colour=(250, 0, i + 1))
    before = ImageFolder(str(folder), data_seed=3).load()
    paint(folder / "cats" / "0a.png", colour=(250, 0, 99))
    after = ImageFolder(str(folder), data_seed=3).load()

    def blues(split):
        return set(split.items[:, 2].amax((1, 2))[split.labels == 0].tolist())

    assert all(blues(after[name]) - {99} == blues(before[name]) for name in before)
    assert sum(99 in blues(split) for split in after.values()) == 1


def test_images_cover_the_size_and_lose_their_edges(tmp_path):
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 255
    Image.fromarray(stripes).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", (10, 10), 3)
    assert (image == 255).all()


def test_grey_becomes_colour_colour_grey_and_transparent_white(tmp_path):
    grey = read_image(paint(tmp_path / "l.png", "L"), (4, 4), 3)
    assert grey.shape == (3, 4, 4)
    assert (grey == 200).all()
    assert read_image(paint(tmp_path / "c.png"), (4, 4), 1).shape == (1, 4, 4)
    assert (read_image(paint(tmp_path / "a.png", "RGBA"), (4, 4), 3) == 255).all()


def test_sixteen_bits_become_eight(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    image = read_image(tmp_path / "deep.png", (16, 16), 1)
    assert (image.flatten().int() - torch.arange(256)).abs().max() <= 1


def test_bad_images_are_named_counted_and_skipped(folder, caplog):
    whole = (folder / "cats" / "0.png").read_bytes()
    for i in range(NAMED + 3):
        (folder / "cats" / f"cut{i}.png").write_bytes(whole[: len(whole) // 2])
    splits = ImageFolder(str(folder)).load()
    assert sum(len(s.labels) for s in splits.values()) == 80
    named = [r.message for r in caplog.records if "cut" in r.message]
    assert len(named) == NAMED
    assert "unreadable" in named[0]
    assert f"left out {NAMED + 3} of {80 + NAMED + 3} images" in caplog.text


def test_images_beside_the_classes_are_named_and_left_out(folder, caplog):
    paint(folder / "stray.png")
    paint(folder / "other.jpg")
    source = ImageFolder(str(folder))
    splits = source.load()
    assert source.classes == ("cats", "dogs")
    assert sum(len(split.labels) for split in splits.values()) == 80
    [line] = [r.getMessage() for r in caplog.records if "left out" in r.getMessage()]
    assert "other.jpg" in line
    assert "2 images belong to no class" in line


def test_a_pipe_is_named_and_never_opened(folder, caplog):
    os.mkfifo(folder / "cats" / "pipe.png")
    splits = ImageFolder(str(folder)).load()
    assert sum(len(split.labels) for split in splits.values()) == 80
    [line] = [r.getMessage() for r in caplog.records if "pipe.png" in r.getMessage()]
    assert "no file but a pipe or a device" in line


def test_what_is_indexed_is_what_is_loaded(folder):
    for i in range(40):
        paint(folder / "dogs" / f"{i}.png", colour=(0, i, 250))
    source = ImageFolder(str(folder), (8, 8))
    loaded = source.load()
    for split, images in source.index().items():
        assert torch.equal(images.labels, loaded[split].labels)
        assert torch.equal(images.all(split).items, loaded[split].items)


def test_a_folder_without_sub_folders_is_one_class(tmp_path):
    for i in range(40):
        paint(tmp_path / f"{i}.png")
    assert ImageFolder(str(tmp_path)).classes == (".",)
    assert set(ImageFolder(str(tmp_path)).load()) == {"train", "val", "test"}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"root": None}, "data.root"),
        ({"root": "nowhere"}, "no such folder"),
        ({"channels": 4}, "1 channel"),
        ({"image_size": (0, 8)}, "height, width"),
        ({"val": 0.0}, "shares"),
    ],
)
def test_bad_settings_are_refused(folder, settings, word):
    with pytest.raises(UserError, match=word):
        ImageFolder(**{"root": str(folder), **settings})


def test_empty_classes_and_folders_of_broken_images_are_refused(folder):
    (folder / "birds").mkdir()
    with pytest.raises(UserError, match="birds holds no image"):
        ImageFolder(str(folder))
    (folder / "birds").rmdir()
    for path in folder.rglob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(UserError, match="can be read"):
        ImageFolder(str(folder)).load()


def test_a_class_of_broken_images_is_refused(folder):
    for path in (folder / "dogs").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(UserError, match=r"no image of .*dogs can be read"):
        ImageFolder(str(folder)).load()


def test_what_is_no_image_by_its_content_is_none_by_its_name(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(ValueError, match="unreadable"):
        read_image(path, (8, 8), 3)


def test_names_that_are_no_text_are_split_as_others(folder):
    os.rename(os.fsencode(folder / "cats" / "0.png"), os.fsencode(folder) + b"/cats/\xff.png")
    assert sum(len(split) for split in ImageFolder(str(folder), (8, 8)).index().values()) == 80

"""Images of any kind and size as bytes of one shape."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from diffstn.data.sources.fitting import check_background, fitted
from diffstn.data.sources.image_folder import ImageFolder, read_image
from diffstn.errors import UserError

GREEN = (51, 255, 0)


def half_there(mode: str) -> Image.Image:
    """4 x 4: black on the left, transparent on the right."""
    image = Image.new("LA" if mode == "LA" else "RGBA", (4, 4), 0)
    image.paste((0, 255) if mode == "LA" else (0, 0, 0, 255), (0, 0, 2, 4))
    if mode == "P":
        indexed = Image.new("P", (4, 4), 1)
        indexed.putpalette([0, 0, 0, 200, 10, 10])
        indexed.paste(0, (0, 0, 2, 4))
        indexed.info["transparency"] = 1
        return indexed
    if mode == "RGB":
        image = Image.new("RGB", (4, 4), (9, 9, 9))
        image.paste((0, 0, 0), (0, 0, 2, 4))
        image.info["transparency"] = (9, 9, 9)
    return image


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
@pytest.mark.parametrize("background", [GREEN, (255, 255, 255)])
def test_transparent_places_show_the_background(tmp_path, mode, background):
    half_there(mode).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", (4, 4), 3, background)
    assert (image[:, :, :2] == 0).all()
    assert (image[:, :, 2:] == torch.tensor(background)[:, None, None]).all()


def test_what_is_half_transparent_shows_half_of_each():
    image = Image.new("RGBA", (2, 2), (200, 100, 0, 128))
    found = fitted(image, (2, 2), 3, (0, 0, 0))[:, 0, 0].tolist()
    assert found == pytest.approx([100, 50, 0], abs=1)


def test_hidden_colours_do_not_bleed_when_images_shrink():
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))  # invisible red around
    image.paste((0, 0, 255, 255), (16, 16, 48, 48))
    found = fitted(image, (8, 8), 3, (0, 0, 255))
    assert (found == torch.tensor([0, 0, 255])[:, None, None]).all()


@pytest.mark.parametrize(
    ("background", "channels", "colour"),
    [(1.0, 3, (255, 255, 255)), (0, 1, (0, 0, 0)), ([0.2, 1, 0], 3, GREEN), ([1, 1, 1], 1, None)],
)
def test_backgrounds(background, channels, colour):
    assert check_background(background, channels) == (colour or (255, 255, 255))


@pytest.mark.parametrize(
    ("background", "channels", "word"),
    [
        ([0.5, 0.5], 3, r"\[0\.5, 0\.5\]: a grey level from 0 to 1, or \[red, green, blue\]"),
        ([0, 0, 0, 1], 3, "grey level"),
        (255, 3, "from 0 to 1"),
        (-0.1, 3, "from 0 to 1"),
        ("white", 3, "grey level"),
        (True, 3, "grey level"),
        ([1, 0, 0], 1, r"data\.channels=1\) take a grey level"),
    ],
)
def test_what_is_no_background_is_refused(background, channels, word):
    with pytest.raises(UserError, match=word):
        check_background(background, channels)


def test_a_folder_has_its_background_in_memory_and_streamed(tmp_path):
    for i in range(30):
        half_there("RGBA").save(tmp_path / f"{i}.png")
    source = ImageFolder(str(tmp_path), (4, 4), background=[0.2, 1, 0], val=0.3, test=0.3)
    found = source.load()["train"].items
    assert (found[:, :, 0, 3] == torch.tensor(GREEN)).all()
    assert torch.equal(source.index()["train"].all("train").items, found)
    white = ImageFolder(str(tmp_path), (4, 4), val=0.3, test=0.3)
    assert white.index()["train"].digest != source.index()["train"].digest


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "gif", "bmp", "tif"])
def test_every_format_is_read(tmp_path, ending):
    Image.new("RGB", (20, 16), (250, 120, 4)).save(tmp_path / f"a.{ending}")
    image = read_image(tmp_path / f"a.{ending}", (8, 8), 3).int()
    assert (image - torch.tensor([250, 120, 4])[:, None, None]).abs().max() < 6


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("side", [(240, 320), (320, 150)])
def test_fast_shrinking_is_close_to_the_best(tmp_path, ending, side):
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
    coarse.resize(side[::-1], Image.Resampling.BICUBIC).save(tmp_path / f"a.{ending}", quality=95)
    with Image.open(tmp_path / f"a.{ending}") as image:
        best = ImageOps.fit(image.convert("RGB"), (32, 32), Image.Resampling.LANCZOS)
    found = read_image(tmp_path / f"a.{ending}", (32, 32), 3)
    error = np.abs(found.permute(1, 2, 0).numpy().astype(int) - np.asarray(best))
    assert error.mean() < 2
    assert error.max() < 16

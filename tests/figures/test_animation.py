import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.figures.animation import animation_gif
from diffstn.figures.style import BLUE, INK, TILE, WRONG


def trajectory(steps=5, number=6, channels=1):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(steps, number, channels, 8, 8, generator=generator)


def frame(path, index):
    image = Image.open(path)
    image.seek(index)
    return np.asarray(image.convert("RGB")).astype(int)


def share(page, colour):
    return (np.abs(page - np.array(colour)).sum(-1) < 12).mean()


def test_frames_size_timing_and_loop(tmp_path):
    path = animation_gif(
        trajectory(), tmp_path / "new" / "turn.gif", columns=4, frame_ms=60, hold_ms=1500
    )
    image = Image.open(path)
    assert image.n_frames == 5
    assert image.info["loop"] == 0
    gap, cell, line = 6, 8 * 3 + 6, 6 * 3
    assert image.size == (4 * cell + gap, 2 * cell + gap + line + 2 * gap)
    durations = []
    for index in range(image.n_frames):
        image.seek(index)
        durations.append(image.info["duration"])
    assert durations == [60, 60, 60, 60, 1500]


def test_every_step_is_a_frame_even_if_nothing_moves(tmp_path):
    still = trajectory(1).expand(7, -1, -1, -1, -1)
    assert Image.open(animation_gif(still, tmp_path / "s.gif")).n_frames == 7


def test_frames_are_the_trajectory(tmp_path):
    frames = torch.zeros(3, 2, 1, 8, 8)
    frames[1, 1] = 1
    path = animation_gif(frames, tmp_path / "t.gif", columns=2)
    for step, expected in enumerate((TILE, INK, TILE)):
        tile = frame(path, step)[6:30, 36:60]
        assert np.abs(tile - np.array(expected)).max() <= 2
        assert np.abs(frame(path, step)[6:30, 6:30] - np.array(TILE)).max() <= 2


def test_the_bar_fills_up(tmp_path):
    path = animation_gif(torch.zeros(5, 16, 1, 8, 8), tmp_path / "t.gif")
    shares = [share(frame(path, step), BLUE) for step in range(5)]
    assert shares[0] == 0
    assert np.allclose(np.diff(shares), shares[4] / 4, rtol=0.1)


def test_the_symbol_of_what_is_shown_stands_before_the_step(tmp_path):
    plain = frame(animation_gif(torch.zeros(2, 16, 1, 8, 8), tmp_path / "a.gif"), 1)
    named = frame(animation_gif(torch.zeros(2, 16, 1, 8, 8), tmp_path / "b.gif", symbol="xₜ"), 1)
    assert plain.shape == named.shape
    assert share(named, BLUE) < share(plain, BLUE)  # the bar makes room for the words


def test_misread_images_are_outlined_while_they_are(tmp_path):
    labels = torch.arange(6)
    predictions = labels.repeat(5, 1)
    predictions[0] = (labels + 1) % 6
    predictions[1, 2] = 0
    path = animation_gif(
        trajectory(), tmp_path / "t.gif", labels=labels, predictions=predictions, columns=6
    )
    shares = [share(frame(path, step), WRONG) for step in range(3)]
    assert shares[0] == pytest.approx(6 * shares[1], rel=0.01)
    assert shares[1] > 0
    assert shares[2] == 0


def test_colours_survive(tmp_path):
    frames = torch.zeros(3, 2, 3, 8, 8)
    frames[:, 0, 0] = 1
    frames[:, 1, 2] = 1
    page = frame(animation_gif(frames, tmp_path / "t.gif", columns=2), 2)
    assert np.abs(page[10, 10] - [255, 0, 0]).max() < 16
    assert np.abs(page[10, 40] - [0, 0, 255]).max() < 16


@pytest.mark.parametrize("channels", [1, 3])
def test_levels_are_given_up_for_size(tmp_path, channels):
    noise = trajectory(4, 16, channels)
    fine = animation_gif(noise, tmp_path / "fine.gif").stat().st_size
    coarse = animation_gif(noise, tmp_path / "coarse.gif", max_bytes=1)
    assert coarse.stat().st_size < fine
    assert Image.open(coarse).n_frames == 4


def test_a_page_of_forty_digits_fits(tmp_path):
    """Fifty steps of blurred, moving strokes as a 5 x 8 page stay below 1.5 MB."""
    angle = torch.linspace(0, 3, 51).view(-1, 1, 1, 1, 1) + torch.arange(40.0).view(1, -1, 1, 1, 1)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 28), torch.linspace(-1, 1, 28), indexing="ij")
    stroke = (1.3 - 5 * (x * angle.cos() + y * angle.sin()).abs()).clamp(0, 1)
    path = animation_gif(stroke, tmp_path / "t.gif")
    assert Image.open(path).n_frames == 51
    assert path.stat().st_size <= 1_500_000


def test_what_does_not_fit_is_refused(tmp_path):
    path, labels = tmp_path / "t.gif", torch.zeros(6, dtype=torch.long)
    said = labels.repeat(5, 1)
    cases = [
        (trajectory()[0], path, {}, r"frames must be .*\(steps,N,C,H,W\)"),
        (trajectory(channels=4), path, {}, "C = 4"),
        (trajectory(), tmp_path / "t.png", {}, r"end the path in \.gif"),
        (trajectory(), path, {"labels": labels}, "go together"),
        (trajectory(), path, {"labels": labels, "predictions": said[:4]}, "predictions must have"),
        (trajectory(), path, {"columns": 0}, "columns"),
    ]
    for frames, where, options, message in cases:
        with pytest.raises(ValueError, match=message):
            animation_gif(frames, where, **options)
    assert not path.exists()

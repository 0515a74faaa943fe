import itertools

import pytest

from diffstn.figures.style import CYCLE, INK, PAPER, WRONG, hexadecimal, mix


def luminance(colour):
    """Relative luminance of sRGB, as WCAG 2 defines it."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (channel / 255 for channel in colour)
    ]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_mixing_reaches_both_ends():
    assert mix(PAPER, INK, 0) == PAPER
    assert mix(PAPER, INK, 1) == INK
    assert mix((0, 0, 0), (200, 100, 50), 0.5) == (100, 50, 25)


def test_hexadecimal():
    assert hexadecimal((213, 94, 0)) == "#d55e00"


def test_wrong_stands_out_from_paper_and_ink_in_grey_too():
    for other in (PAPER, INK):
        low, high = sorted((luminance(WRONG), luminance(other)))
        assert (high + 0.05) / (low + 0.05) > 3  # WCAG 2's minimum for graphical objects


def test_no_curve_looks_wrong_and_all_differ():
    assert WRONG not in CYCLE
    for a, b in itertools.combinations(CYCLE, 2):
        assert sum(abs(p - q) for p, q in zip(a, b, strict=True)) > 100


@pytest.mark.parametrize("colour", [PAPER, INK, WRONG, *CYCLE])
def test_colours_are_bytes(colour):
    assert len(colour) == 3
    assert all(0 <= channel <= 255 for channel in colour)

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffstn.data.sources.idx import format_idx, parse_idx
from diffstn.errors import UserError


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 1000))
def test_round_trip(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    array = torch.randint(0, 256, tuple(shape), generator=generator).byte()
    assert torch.equal(parse_idx(format_idx(array), "some file"), array)


def test_known_bytes():
    content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])
    assert parse_idx(content, "x").tolist() == [[1, 2, 3], [4, 5, 255]]
    assert format_idx(parse_idx(content, "x")) == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0",
        b"not an idx file",
        bytes([0, 0, 0x0D, 1, 0, 0, 0, 0]),  # floats
        bytes([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3]),  # one element short
        bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2]),  # one too many
        bytes([0, 0, 8, 3, 0, 0]),  # cut within the header
    ],
)
def test_damage_is_named(content):
    with pytest.raises(UserError, match=r"digits-ubyte .*again"):
        parse_idx(content, "digits-ubyte")


def test_only_bytes_are_written():
    with pytest.raises(ValueError, match="uint8"):
        format_idx(torch.zeros(3))

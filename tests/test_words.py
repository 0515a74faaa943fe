"""Words of a command line, read as Hydra does and typed as a shell takes them."""

import shlex

import pytest

from diffstn.errors import UserError
from diffstn.words import as_word, value_of


@pytest.mark.parametrize(
    "value", ["runs/a", "my runs/a,b=c", "it's", "100 $", "größe", "a{b}", 'say "so"', "x!"]
)
def test_a_word_comes_through_a_shell_and_hydra(value: str):
    [word] = shlex.split(as_word("out", value))
    assert value_of(word) == value


def test_a_value_is_what_hydra_takes_it_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WHO", "me")
    assert value_of("out=runs/${oc.env:WHO}") == "runs/me"
    assert value_of("out='a b'") == "a b"
    with pytest.raises(UserError, match=r"""with commas, write "out='a b,c'" """.strip()):
        value_of("out=a b,c")
    with pytest.raises(UserError, match="names no folder"):
        value_of("out=${oc.env:NOBODY_SET_THIS}")
    with pytest.raises(UserError, match="names no folder"):
        value_of("out='")

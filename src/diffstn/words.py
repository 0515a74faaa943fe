"""Words of a command line, and slips of the keyboard."""

import difflib
from collections.abc import Sequence

LISTED = 12
"""Of known names, where none is close."""


def closest(word: str, known: Sequence[str]) -> str:
    """A hint: 'did you mean …?' or what there is.

    Keys of the same last name come first, then the one spelt most alike, as a whole or in its last
    name.
    """
    tails: dict[str, list[str]] = {}
    for key in dict.fromkeys(known):
        tails.setdefault(key.rsplit(".", 1)[-1], []).append(key)
    tail = word.rsplit(".", 1)[-1]
    alike = difflib.get_close_matches
    for close in (
        [key for key in tails.get(tail, []) if key != word][:3],
        alike(word, known, n=1, cutoff=0.5),
        [tails[match][0] for match in alike(tail, list(tails), n=1, cutoff=0.6)],
    ):
        if close:
            return f"did you mean {' or '.join(close)}?"
    there = sorted(set(known))
    return f"there are: {', '.join(there[:LISTED])}{', …' if len(there) > LISTED else ''}"


def one_line(text: str, most: int = 390) -> str:
    """`text` on one line that a terminal shows as it is; of a long one, the beginning and the end.

    What is refused is repeated to whoever typed it, and may hold anything.
    """
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    return shown if len(shown) <= most else f"{shown[: most - 123]} … {shown[-120:]}"


def asks_to_resume(words: Sequence[str]) -> bool:
    """Whether `resume=true` is among the words."""
    return any(word.lower() in ("resume=true", "resume=1") for word in words)


def last_words(words: Sequence[str]) -> dict[str, str]:
    """Of every key the last word, which counts."""
    return {word.split("=")[0]: word for word in words}

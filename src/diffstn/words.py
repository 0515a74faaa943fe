"""Slips of the keyboard."""

import difflib
from collections.abc import Sequence


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
    return f"there are: {', '.join(sorted(set(known))[:30])}"

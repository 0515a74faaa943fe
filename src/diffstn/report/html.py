"""HTML whose text cannot become markup."""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Iterable
from typing import Any

MOST_LETTERS = 4000
"""Of one text; what is longer is cut."""
HIDDEN = "\N{REPLACEMENT CHARACTER}"
VOID = {"img", "input", "meta", "link", "br"}


class Html(str):
    """Markup that `element` has made. Any other text is escaped where it is put in."""

    __slots__ = ()


def plain(text: Any, most: int = MOST_LETTERS) -> str:
    """Text without what steers a terminal or turns the direction of reading, and not too long."""
    letters = str(text)
    if len(letters) > most:
        letters = f"{letters[:most]}…"
    if letters.isprintable():
        return letters
    return "".join(HIDDEN if _steers(one) else one for one in letters)


def _steers(letter: str) -> bool:
    return letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn")


def escaped(content: Any) -> Html:
    """Content as markup that shows it."""
    if isinstance(content, Html):
        return content
    return Html("" if content is None else html.escape(plain(content), quote=True))


def element(_name: str, *content: Any, **attributes: Any) -> Html:
    """`<name attribute="…">content</name>`, everything in it escaped.

    Args:
        content: texts, numbers, `Html` or lists and generators of them.
        attributes: `class_` is `class`, and `data_x` `data-x`; those that are None or False are
            left out, and True has no value.
    """
    words = [_name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        name = key.rstrip("_").replace("_", "-")
        words.append(name if value is True else f'{name}="{escaped(value)}"')
    start = f"<{' '.join(words)}>"
    return Html(start if _name in VOID else f"{start}{joined(*content)}</{_name}>")


def joined(*content: Any) -> Html:
    """Several pieces as one."""
    pieces = (
        joined(*one) if isinstance(one, Iterable) and not isinstance(one, str) else escaped(one)
        for one in content
    )
    return Html("".join(pieces))


def data_block(identity: str, content: Any) -> Html:
    """A block of data for the page's script: whatever it says, it does not end early.

    Raises:
        ValueError: a number in it is not finite.
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Html(f'<script type="application/json" id="{escaped(identity)}">{text}</script>')

"""Damage, at random, of the kinds that break readers."""

import copy
import json
import random
import struct
from typing import Any

import yaml

NASTY = (0, 1, 2, 0x7F, 0x80, 0xFF)
LENGTHS = (0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 3, 10**9, -(10**9), 10**30, 0.5, -0.5, 1e308),
    *(float("nan"), float("inf"), float("-inf"), "", "x", "x" * 5000, "../../x", "/dev/zero"),
    *("${oc.env:HOME}", "os.system", "diffstn.models.stn.STN", "\x00", "null", [], {}, [[]]),
    *([1, 2], [float("nan")], ["a"], {"a": 1}, {"_target_": "os.system"}, {"_args_": [1]}),
)
WORDS = (
    b"nan",
    b"inf",
    b"-1",
    b"1e999",
    b"9" * 400,
    b"\0",
    b"\xff",
    b"\n",
    b"{",
    b"[",
    b"*a",
    b"&a",
)


def mutated(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """A few edits of bytes: flips, cuts, splices, lengths, repeated parts."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        size = len(found)
        at = chance.randrange(size) if size else 0
        kind = chance.randrange(9)
        if kind == 0 and size:
            found[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and size:
            found[at] = chance.choice(NASTY)
        elif kind == 2:
            del found[at:]
        elif kind == 3:
            del found[at : at + chance.choice((1, 2, 4, 16, 256))]
        elif kind == 4 and size >= 8:
            form = chance.choice(("<H", ">H", "<I", ">I", "<Q"))
            most = 2 ** (8 * struct.calcsize(form)) - 1
            new = struct.pack(form, min(chance.choice(LENGTHS), most))
            found[at : at + len(new)] = new
        elif kind == 5:
            start = chance.randrange(len(other)) if other else 0
            found[at:at] = other[start : start + chance.choice((1, 8, 64, 512))]
        elif kind == 6:
            found[at:at] = found[at : at + chance.choice((1, 8, 64))] * chance.choice((2, 100))
        elif kind == 7:
            found[at:at] = chance.choice(WORDS)
        else:
            found[at : at + 4] = bytes(chance.randrange(256) for _ in range(4))
    return bytes(found)


def exchanged(content: bytes, name: str, chance: random.Random) -> bytes:
    """Values, names and whole groups of a nested file are exchanged, removed or added."""
    tree: Any = json.loads(content) if name.endswith(".json") else yaml.safe_load(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        places = list(_places(tree))
        node, key = chance.choice(places)
        kind = chance.randrange(6)
        if kind == 0:
            del node[key]
        elif kind == 1 and isinstance(node, dict):
            name_of_new = chance.choice(("x", "_args_", "_target_", "_partial_", "", "é"))
            node[name_of_new] = copy.deepcopy(node[key])
        elif kind == 2:
            other, name_of_other = chance.choice(places)
            if name_of_other in other if isinstance(other, dict) else name_of_other < len(other):
                node[key] = copy.deepcopy(other[name_of_other])
        else:
            node[key] = copy.deepcopy(chance.choice(VALUES))
        if not tree:
            break
    if name.endswith(".json"):
        return json.dumps(tree).encode(errors="replace")
    return yaml.safe_dump(tree, sort_keys=False).encode(errors="replace")


def _places(tree: Any) -> Any:
    """(container, key) of everything in nested containers."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    for key in keys:
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _places(tree[key])

"""Imports point one way: runs → models → {networks, diffusion, spatial, metrics}."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import diffstn

ROOT = Path(diffstn.__file__).parent

# What each package may import of ours besides itself. `errors` is a leaf that all but the two
# torch-only packages may use.
ALLOWED = {
    "diffusion": set(),
    "spatial": set(),
    "networks": {"errors", "diffusion", "spatial"},
    "metrics": {"errors", "diffusion", "spatial", "networks"},
    "data": {"errors", "spatial", "diffusion"},
    "figures": {"errors", "spatial", "diffusion"},
    "models": {"errors", "networks", "diffusion", "spatial", "metrics"},
    "callbacks": {"errors", "figures", "metrics", "diffusion", "spatial"},
    "errors": set(),
}
ANYTHING = {"runs", "__init__", "__main__"}

MODULES = sorted(ROOT.rglob("*.py"))


def package(path: Path) -> str:
    """The first name below diffstn: 'spatial' of spatial/warp.py, 'errors' of errors.py."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(source: str, path: Path) -> Iterator[str]:
    """Absolute dotted names of all that a module imports, wherever in the file."""
    parents = ("diffstn", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(parents[: len(parents) + 1 - node.level]) if node.level else []
            stem = [*base, *(node.module or "").split(".")] if node.module else base
            yield from (".".join([*stem, alias.name]) for alias in node.names)


def imported(path: Path) -> set[str]:
    return set(imports(path.read_text(encoding="utf-8"), path))


def ours(names: set[str]) -> set[str]:
    """The packages of ours among dotted names; `diffstn` itself stands for its own `__init__`."""
    own = (name.split(".") for name in names if name.split(".")[0] == "diffstn")
    return {parts[1] if len(parts) > 1 else "__init__" for parts in own}


def test_names_are_resolved():
    path = ROOT / "spatial" / "made_up.py"
    source = """
import os.path, torch.nn as nn
from . import affine
from .warp import warp
from .. import errors
from ..data.idx import read
from diffstn.models import stn
def late():
    import matplotlib
"""
    assert set(imports(source, path)) == {
        "os.path",
        "torch.nn",
        "diffstn.spatial.affine",
        "diffstn.spatial.warp.warp",
        "diffstn.errors",
        "diffstn.data.sources.idx.read",
        "diffstn.models.stn",
        "matplotlib",
    }
    assert ours(set(imports(source, path))) == {"spatial", "errors", "data", "models"}
    inside = set(imports("from .step import f", ROOT / "diffusion" / "samplers" / "__init__.py"))
    assert inside == {"diffstn.diffusion.samplers.step.f"}


@pytest.mark.parametrize("name", ["diffusion", "spatial"])
def test_the_mathematics_needs_torch_alone(name: str):
    files = [path for path in MODULES if package(path) == name]
    assert files
    for path in files:
        names = imported(path)
        foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names
        assert foreign <= {"torch", "diffstn"}, path
        assert ours(names) <= {name}, path


@pytest.mark.parametrize("name", ["data", "figures"])
def test_no_model_is_known_to(name: str):
    files = [path for path in MODULES if package(path) == name]
    assert files
    for path in files:
        assert not ours(imported(path)) & {"models", "runs"}, path


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path):
    name = package(path)
    if name not in ANYTHING:
        assert name in ALLOWED, f"say in this test what {name} may import"
        assert ours(imported(path)) <= ALLOWED[name] | {name}

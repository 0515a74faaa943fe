"""The layers: cli → runs → tasks → models → …, and who may know whom by name."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import diffstn

ROOT = Path(diffstn.__file__).parent

LEAVES = {
    *("errors", "words", "located", "annotations", "signatures", "schema", "hardware", "ranks"),
    "in_portions",
}
MATHEMATICS = {"diffusion", "spatial", "adversarial"}
FOUNDATION = {*LEAVES, *MATHEMATICS, "data", "store"}

# What each package may import of ours besides itself.
ALLOWED = {
    "diffusion": {"in_portions"},
    "spatial": set(),
    "adversarial": {"spatial"},
    "errors": set(),
    "words": {"errors"},
    "located": {"errors"},
    "annotations": set(),
    "signatures": {"annotations"},
    "schema": {"annotations", "errors", "located", "signatures", "words"},
    "hardware": {"errors"},
    "ranks": {"errors"},
    "in_portions": set(),
    "data": {*LEAVES, "spatial"},
    "store": {*LEAVES, "data"},
    "report": {*LEAVES, "store", "figures"},
    "build": FOUNDATION - MATHEMATICS,
    "codecs": {*FOUNDATION, "build", "networks"},
    "networks": {*LEAVES, *MATHEMATICS},
    "adapters": MATHEMATICS,
    "optim": LEAVES,
    "metrics": {*LEAVES, *MATHEMATICS, "networks"},
    "figures": {*LEAVES, *MATHEMATICS},
    "models": {*FOUNDATION, "build", "codecs", "networks", "metrics"},
    "callbacks": {*LEAVES, *MATHEMATICS, "build", "store", "figures", "metrics"},
    "tasks": {
        *(*FOUNDATION, "build", "codecs", "networks", "metrics", "figures"),
        *("models", "callbacks"),
    },
    "runs": {*FOUNDATION, "build", "callbacks", "figures", "report", "tasks"},
    "cli": {*FOUNDATION, "build", "report", "runs", "tasks"},
    "library": {*FOUNDATION, "build", "models", "runs", "cli"},
    "__init__": {"library"},
}
GENERAL = ("build", "runs", "cli")
"""Packages that know no model, no kind of data and no setting of one family."""

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
from ..data.facts import Facts
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
        "diffstn.data.facts.Facts",
        "diffstn.models.stn",
        "matplotlib",
    }
    assert ours(set(imports(source, path))) == {"spatial", "errors", "data", "models"}
    inside = set(imports("from .step import f", ROOT / "diffusion" / "samplers" / "__init__.py"))
    assert inside == {"diffstn.diffusion.samplers.step.f"}


@pytest.mark.parametrize("name", sorted(MATHEMATICS))
def test_the_mathematics_needs_torch_alone(name: str):
    files = [path for path in MODULES if package(path) == name]
    assert files
    for path in files:
        names = imported(path)
        foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names
        assert foreign <= {"torch", "diffstn"}, path
        assert ours(names) <= {name} | ALLOWED[name], path


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path):
    name = package(path)
    assert name in ALLOWED, f"say in this test what {name} may import"
    assert ours(imported(path)) <= ALLOWED[name] | {name}


def words_of_families() -> set[str]:
    """Classes of models, tasks and data, kinds of data, and the settings of the families."""
    import yaml

    from diffstn.data.kinds import KINDS

    found = set(KINDS)
    for folder in ("models", "tasks", "codecs", "data"):
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for path in (ROOT / "conf" / "model").glob("*.yaml"):
        content = yaml.safe_load(path.read_text())
        found |= set(content["model"]) - {"_target_"}
        found |= {
            default.strip("/")
            for one in content["defaults"]
            if isinstance(one, dict)
            for default in one
        }
    for path in (ROOT / "conf" / "task").glob("*.yaml"):
        found |= set(yaml.safe_load(path.read_text())) - {"_target_"}
    return found - ANYBODYS


ANYBODYS = {
    *("data", "task", "Task", "Facts", "Labelled"),  # what every run has
    *("seed", "split", "label", "limit", "loss", "mean", "clip", "views", "samples", "points"),
    *("features", "image", "shown"),
}
"""Words of families that mean something else, or the same for all."""


@pytest.mark.parametrize("name", GENERAL)
def test_no_family_is_named_in(name: str):
    known = words_of_families()
    assert {"DiffInSTN", "upright", "hypotheses", "encoder"} <= known
    files = [path for path in MODULES if package(path) == name]
    assert files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            said = {
                getattr(node, "id", None),
                getattr(node, "attr", None),
                getattr(node, "arg", None),
                node.value if isinstance(node, ast.Constant) else None,
            }
            strings = {one for one in said if isinstance(one, str)}
            assert not strings & known, (path, strings & known)


def test_the_general_packages_stay_small():
    lines = {path: len(path.read_text().splitlines()) for path in MODULES}
    general = {path: n for path, n in lines.items() if package(path) in GENERAL}
    assert sum(general.values()) < 2050
    assert max(general.values()) <= 250


def test_importing_the_package_costs_nothing():
    code = "import sys, diffstn; assert not {'torch', 'hydra'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

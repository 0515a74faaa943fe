"""What constructors take, read from their source without running it.

Importing torch and Lightning takes seconds, and a source file is read in milliseconds: so most
words that are wrong are refused before anything heavy is imported. What cannot be read so is no
refusal: the signature itself is asked later.
"""

import ast
import builtins
import collections.abc
import typing
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NamedTuple

from diffstn import annotations

LIGHT: tuple[Any, ...] = (typing, collections.abc, annotations)
"""Modules whose names annotations may be made of."""
FOREIGN = ("torch", "pytorch_lightning", "abc", "typing")
"""Packages whose classes have no attributes that we ask for."""
DEPTH = 8
"""Of imports that pass a name on, and of base classes."""


class Signature(NamedTuple):
    """Of a class or function."""

    parameters: dict[str, Any]
    """Names and annotations, `Any` where that cannot be read."""
    takes_any: bool
    """Whether it takes keywords of every name, or may."""


class Found(NamedTuple):
    """A definition and the module that it stands in."""

    node: ast.stmt
    module: str


def signature(target: str) -> Signature | None:
    """What the class or function of that dotted name takes; None where its source does not say."""
    found = _find(target)
    if found is None:
        return None
    if isinstance(found.node, ast.FunctionDef):
        return _of_function(found.node, found.module)
    return _of_class(found, DEPTH) if isinstance(found.node, ast.ClassDef) else None


def defined_in(target: str) -> str | None:
    """The module in which a class or function of that dotted name is defined, or the class of which
    it is an object.
    """
    found = _find(target)
    if found and isinstance(found.node, ast.Assign):
        made = found.node.value
        found = _named(ast.unparse(made.func), found.module) if isinstance(made, ast.Call) else None
        if found and not isinstance(found.node, ast.ClassDef):
            return None  # a function may answer anything
    return found and found.module


class Unread(LookupError):
    """The source does not say."""


def attribute(target: str, name: str) -> Any:
    """A class attribute that is written as a literal; None where there is none.

    Of an object that is made of a class, `module(Images)`, it is that of the class.

    Raises:
        Unread: the source does not say.
    """
    return _attribute(_find(target), name, DEPTH)


def _attribute(found: Found | None, name: str, depth: int) -> Any:
    node: Any = found and found.node
    if found is None or not depth:
        raise Unread(name)
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.args:
        return _attribute(_named(ast.unparse(node.value.args[0]), found.module), name, depth - 1)
    if isinstance(node, ast.FunctionDef):
        return None
    if not isinstance(node, ast.ClassDef):
        raise Unread(name)
    for one in node.body:
        if isinstance(one, ast.Assign | ast.AnnAssign) and one.value is not None:
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            if ast.unparse(targets[0]) == name:
                try:
                    return ast.literal_eval(one.value)
                except ValueError:  # no literal
                    raise Unread(name) from None
    for base in node.bases:
        if not _is_foreign(base, found.module):
            above = _named(ast.unparse(base), found.module)
            if (value := _attribute(above, name, depth - 1)) is not None:
                return value
    return None


def _is_foreign(base: ast.expr, module: str) -> bool:
    """Whether a base class is of torch or Lightning, or says nothing, as `ABC` does."""
    root = ast.unparse(base).split("[")[0].split(".")[0]
    source = _source(module)
    for node in source[1].body if source else []:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name).split(".")[0] == root:
                    origin = alias.name if isinstance(node, ast.Import) else node.module or ""
                    level = 0 if isinstance(node, ast.Import) else node.level
                    return not level and origin.split(".")[0] in FOREIGN
    return False


@cache
def _source(module: str) -> tuple[Path, ast.Module] | None:
    """The file of a module and what is written in it."""
    places, path = None, None
    parts = module.split(".")
    for i in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: i + 1]), places)
        if spec is None or not (spec.origin or "").endswith(".py"):
            return None
        path = Path(spec.origin or "")
        places = [str(path.parent)]
    assert path is not None
    try:
        return path, ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError):  # importing it will say what is wrong
        return None


def _find(target: str, depth: int = DEPTH) -> Found | None:
    """The definition of a dotted name, through modules that pass it on."""
    module, _, name = target.rpartition(".")
    source = _source(module) if module and depth else None
    if source is None:
        return None
    path, tree = source
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return Found(node, module)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return Found(node, module)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _find(f"{_absolute(node, module, path)}.{alias.name}", depth - 1)
    return None


def _absolute(node: ast.ImportFrom, module: str, path: Path) -> str:
    """The module that an import names."""
    if not node.level:
        return node.module or ""
    package = module.split(".")
    up = node.level - (path.name == "__init__.py")
    return ".".join([*package[: len(package) - up], *([node.module] if node.module else [])])


def _of_class(found: Found, depth: int) -> Signature | None:
    node: Any = found.node
    bases = [_named(ast.unparse(base), found.module) for base in node.bases]
    if any("dataclass" in ast.unparse(one) for one in node.decorator_list):
        return _of_dataclass(found, bases, depth)
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            own = _of_function(one, found.module, skip=1)
            if not own.takes_any:
                return own
            above = _of_bases(bases, depth)
            return above and Signature({**above.parameters, **own.parameters}, above.takes_any)
    return _of_bases(bases, depth) if bases else Signature({}, True)


def _of_bases(bases: list[Found | None], depth: int) -> Signature | None:
    """That of the only base; where there are more, it is not followed."""
    if len(bases) != 1 or bases[0] is None or not depth:
        return None
    return _of_class(bases[0], depth - 1) if isinstance(bases[0].node, ast.ClassDef) else None


def _of_dataclass(found: Found, bases: list[Found | None], depth: int) -> Signature | None:
    node: Any = found.node
    fields: dict[str, Any] = {}
    for base in bases:
        above = _of_class(base, depth - 1) if base and depth else None
        if above is None:
            return None
        fields |= above.parameters
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            if "ClassVar" not in ast.unparse(one.annotation):
                fields[one.target.id] = _evaluated(one.annotation, found.module)
        elif isinstance(one, ast.FunctionDef) and one.name == "__init__":
            return None
    return Signature(fields, False)


def _of_function(node: ast.FunctionDef, module: str, skip: int = 0) -> Signature:
    said = [*node.args.posonlyargs, *node.args.args][skip:] + node.args.kwonlyargs
    kinds = {one.arg: _evaluated(one.annotation, module) for one in said}
    return Signature(kinds, node.args.kwarg is not None)


def _named(name: str, module: str) -> Found | None:
    """The definition that a name stands for within a module."""
    return _find(f"{module}.{name}") if name.isidentifier() else None


def _evaluated(annotation: ast.expr | None, module: str) -> Any:
    """An annotation as `typing` knows it; `Any` where it is made of what is not known."""
    if annotation is None:
        return Any
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    names = {one.id for one in ast.walk(annotation) if isinstance(one, ast.Name)}
    try:
        space = {name: _meaning(name, module) for name in names}
        return eval(
            compile(ast.Expression(annotation), module, "eval"), {"__builtins__": {}}, space
        )
    except Exception:  # whatever an annotation of another's makes it raise
        return Any


def _meaning(name: str, module: str) -> Any:
    """What a name in an annotation stands for."""
    if name in ("int", "float", "str", "bool", "list", "tuple", "dict", "type"):
        return getattr(builtins, name)
    for light in LIGHT:
        if hasattr(light, name):
            return getattr(light, name)
    found = _named(name, module)
    if found is not None and isinstance(found.node, ast.Assign):
        return _evaluated(found.node.value, found.module)
    if found is not None and isinstance(found.node, ast.ClassDef):
        return type(name, (), {})  # some class, which a node with a _target_ describes
    raise LookupError(name)

"""Files that may be a stranger's, read within bounds and without running anything."""

import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from diffstn.errors import UserError

MOST_BYTES, MOST_NODES = 2**26, 100_000
"""Of what is read from a run's folder as text."""
MOST_OF_YAML = 2**18
"""Which takes seconds to read; a configuration has a few thousand bytes."""
SLACK = 50_000_000
"""Parameters that a model may have beside what its weights file can hold: those of its judge."""
PLAIN = re.compile(r"\w[\w.-]{0,127}")
"""What dashboards call a run."""


LINKS_OF_WANDB = re.compile(r"/wandb/(offline-)?run-[^/]+/logs/[^/]+$")


def check_plain(folder: Path) -> None:
    """Refuse a run's folder that holds what could lead elsewhere or never end.

    What is written to a link goes where it leads; a pipe that nobody fills is waited for.

    Raises:
        UserError: it names the link that leads out of the folder, the pipe or the device.
    """
    home = os.path.realpath(folder)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            if os.path.islink(path):
                if LINKS_OF_WANDB.search(path):
                    continue  # to its own log; the next process has a folder of its own
                leads = os.path.realpath(path)
                if os.path.commonpath([home, leads]) != home:
                    raise UserError(
                        f"{path} leads to {leads}, outside of its run: put what it leads to in its"
                        " place, or remove it"
                    )
            elif name in files and not os.path.isfile(path):
                raise UserError(f"{path} is no file but a pipe or a device: remove it")


def read(path: Path, most: int = MOST_BYTES) -> str:
    """The text of a file.

    Raises:
        ValueError: it is no file, as a pipe that nobody fills, no text, or larger than any that we
            write.
    """
    if not path.is_file() or path.stat().st_size > most:
        raise ValueError("it is no file, or too large")
    return path.read_text()


def read_yaml(path: Path) -> dict[str, Any]:
    """What a file of YAML holds.

    A few lines of it can say a billion nodes, or contain themselves.

    Raises:
        ValueError: it is damaged, no mapping, or has more nodes than a configuration can have.
    """
    try:
        content = yaml.safe_load(read(path, MOST_OF_YAML))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(reason(error)) from None
    if not isinstance(content, dict) or not is_small(content):
        raise ValueError("it is no configuration")
    return content


def is_small(content: Any) -> bool:
    """Whether nested containers have no more nodes than a configuration can have, nor others."""
    stack, nodes = [content], 0
    while stack:
        node, nodes = stack.pop(), nodes + 1
        if nodes > MOST_NODES:
            return False
        if isinstance(node, dict):
            stack.extend((*node, *node.values()))
        elif isinstance(node, list):
            stack.extend(node)
        elif not isinstance(node, str | int | float | None):  # as dates and bytes
            return False
    return True


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """What a checkpoint holds, on the CPU.

    Its pickle may name tensors and plain containers alone; nothing is executed. An archive that is
    compressed is none that torch wrote, and could unpack to any size.

    Raises:
        ValueError: it is none, in a line.
    """
    import torch

    try:
        with zipfile.ZipFile(path) as archive:
            if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
                raise ValueError("it is compressed")
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # whatever a file that is none makes zipfile and torch raise
        raise ValueError(reason(error)) from None
    if not isinstance(content, dict):
        raise ValueError("it holds no names")
    return content


def state_of(content: Mapping[str, Any], key: str = "state_dict") -> dict[str, Any]:
    """The weights in a checkpoint: names and tensors that are as large in the file as they say.

    Raises:
        ValueError: it has none, or others.
    """
    import torch

    state = content.get(key)
    if not isinstance(state, Mapping) or not state:
        raise ValueError(f"it holds no {key}")
    for name, value in state.items():
        whole = (
            isinstance(name, str)
            and type(value) in (torch.Tensor, torch.nn.Parameter)
            and value.layout is torch.strided
            and value.device.type == "cpu"
            and not (value.is_quantized or value.is_complex())
            and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
        )
        if not whole:
            raise ValueError(f"{str(name)[:80]} in its {key} is no plain tensor")
    return dict(state)


def read_safetensors(path: Path) -> dict[str, Any]:
    """The tensors in a safetensors file.

    Raises:
        ValueError: it is none, in a line.
    """
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except Exception as error:  # whatever a damaged file makes the library raise
        raise ValueError(reason(error)) from None


def reason(error: Exception) -> str:
    """The first sentence of what a library complains about, without its advice."""
    lines = str(error).split("\n")
    said = re.split(r"\. |\. ?$", lines[0])[0].strip()
    return said[:120] or type(error).__name__


def check_finite(state: Mapping[str, Any], path: Path) -> None:
    """Refuse weights that are no numbers.

    Raises:
        UserError: it names the first.
    """
    for name, value in state.items():
        if value.is_floating_point() and bool(value.float().isnan().any()):
            raise UserError(f"{path}: {name} is no number; train again with a lower optimizer.lr")


@contextmanager
def no_larger_than(folder: Path | None) -> Iterator[None]:
    """Within this context, no model is built that the weights in `folder` could not fill.

    The configuration of a stranger may ask for layers of any size; what is allocated for one is
    not touched before it was counted.

    Args:
        folder: of a run; None: no bound.

    Raises:
        UserError: there are more parameters than that, or what the folder holds describes no
            model.
    """
    from torch.nn.modules.module import register_module_parameter_registration_hook

    files = folder.glob("**/*") if folder is not None else ()
    weights = (".ckpt", ".before", ".safetensors")
    stored = sum(path.stat().st_size for path in files if path.suffix in weights)
    left = [SLACK + stored]

    def count(module: Any, name: str, parameter: Any) -> None:
        left[0] -= parameter.numel() if parameter is not None else 0
        if left[0] < 0:
            raise UserError(
                f"{folder}: its configuration describes a model that is larger than its weights"
            )

    if folder is None:
        yield
        return
    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    except (LookupError, AttributeError, AssertionError, MemoryError) as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}".rstrip(": ")
        raise UserError(
            f"{folder}: its configuration and facts describe no model ({said}); debug=true shows"
            " where"
        ) from error
    finally:
        handle.remove()


def check_shape(config: Mapping[str, Any]) -> None:
    """Refuse a configuration that no run can have written.

    Raises:
        ValueError: a group is missing or none, or a node asks for something by position.
    """
    for group in ("model", "task", "trainer", "evaluate", "choices"):
        if not isinstance(config.get(group), Mapping):
            raise ValueError(f"'{group}' is no group")
    for group in ("checkpoint", "ema_decay", "seed", "epochs"):
        if group not in config:
            raise ValueError(f"there is no '{group}'")
    for group in ("model", "task", *(("data",) if "data" in config else ())):
        if not isinstance(config[group], Mapping) or "_target_" not in config[group]:
            raise ValueError(f"'{group}' has no _target_")
    stack: list[Any] = [config]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, Mapping):
            stack.extend(node.values())
            if "_args_" in node:
                raise ValueError("a run writes no '_args_'")
            if "_target_" in node and not isinstance(node["_target_"], str):
                raise ValueError("a _target_ is no name")


def identities(began: Mapping[str, Any]) -> dict[str, str]:
    """Of what `loggers.json` says, the names that can be no path."""
    return {
        name: one for name, one in began.items() if isinstance(one, str) and PLAIN.fullmatch(one)
    }

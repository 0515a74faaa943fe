"""The configurations that ship, and those that a user adds."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.version import setbase
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from diffstn.errors import UserError
from diffstn.store.names import file_name

CONF = Path(__file__).parents[1] / "conf"
OmegaConf.register_new_resolver("file_name", file_name, replace=True)


@contextmanager
def composing(search: Sequence[str] = ()) -> Iterator[ConfigLoader]:
    """Hydra's loader over our configurations and those in further folders.

    Raises:
        UserError: one of the folders is not there.
    """
    path = create_config_search_path(str(CONF.resolve()))
    for folder in search:
        if "://" not in folder and not Path(folder).is_dir():
            raise UserError(f"--config-dir={folder}: there is no such folder")
        where = folder if "://" in folder else f"file://{Path(folder).absolute()}"
        path.prepend("command-line", where, SearchPathQuery(provider="schema"))
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    setbase("1.3")
    try:
        yield Hydra.create_main_hydra2("diffstn", path).config_loader
    finally:
        GlobalHydra.instance().clear()
        if outer is not None:
            GlobalHydra.instance().hydra = outer


def composed(
    name: str | None, words: Sequence[str], search: Sequence[str] = (), hydra_too: bool = False
) -> DictConfig:
    """A configuration outside `hydra.main`, Hydra's own node included if asked for.

    Raises:
        HydraException, OmegaConfBaseException: the words do not compose.
    """
    with composing(search):
        return compose(name, list(words), return_hydra_config=hydra_too)


def plain(cfg: DictConfig, choices: Any) -> dict[str, Any]:
    """A composed configuration as plain containers, with the names of its choices.

    Raises:
        UserError: something in it cannot be resolved.
    """
    with open_dict(cfg):
        cfg.pop("hydra", None)
    try:
        config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise UserError(" ".join(str(error).split())) from None
    assert isinstance(config, dict)
    named = {k: v for k, v in dict(choices).items() if v and not str(k).startswith("hydra")}
    lists = {k: list(v) if OmegaConf.is_list(v) else v for k, v in named.items()}
    return {**{str(k): v for k, v in config.items()}, "choices": lists}


def training_config(words: Sequence[str], search: Sequence[str] = ()) -> dict[str, Any]:
    """What `train.py` would run with, as plain containers."""
    cfg = composed("train", words, search, hydra_too=True)
    return plain(cfg, dict(cfg.hydra.runtime.choices))


def groups(loader: ConfigLoader) -> dict[str, list[str]]:
    """Choices of every group in the search path: {"data/distortion": ["full", "paper", …], …}.

    Folders below `experiment` are no groups, they sort its choices: {"experiment": ["paper/stn"]}.
    """
    found: dict[str, list[str]] = {}
    files = loader.repository  # type: ignore[attr-defined]  # the loader copies it at every question

    def walk(folder: str, group: str, prefix: str) -> None:
        names = files.get_group_options(folder, ObjectType.GROUP)
        options = files.get_group_options(folder, ObjectType.CONFIG)
        if options and group:
            found.setdefault(group, []).extend(prefix + name for name in sorted(options))
        for name in sorted(set(names)):
            inner = f"{folder}/{name}" if folder else name
            if inner == "hydra":
                continue
            sorts = group == "experiment"
            walk(inner, group if sorts else inner, f"{prefix}{name}/" if sorts else "")

    walk("", "", "")
    return found


@cache
def renamed() -> dict[str, list[str]]:
    """Words that are called otherwise now, see conf/renamed.yaml."""
    return dict(OmegaConf.to_container(OmegaConf.load(CONF / "renamed.yaml")))  # type: ignore[arg-type]


def import_from_here() -> None:
    """Let classes of the working directory be found, after those of installed packages."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())

"""Hydra's flags, wherever they stand among the words."""

from argparse import Namespace
from collections.abc import Sequence

from hydra._internal.utils import get_args_parser


def flags(arguments: Sequence[str]) -> Namespace:
    """Hydra's flags and, as `overrides`, the words."""
    return get_args_parser().parse_intermixed_args(list(arguments))


def search_path(asked: Namespace) -> list[str]:
    """The folders of configurations that the command line adds to ours."""
    key = "hydra.searchpath="
    added = [word[len(key) :].strip("[]") for word in asked.overrides if word.startswith(key)]
    further = [folder for one in added for folder in one.split(",") if folder]
    return [*([asked.config_dir] if asked.config_dir else []), *further]

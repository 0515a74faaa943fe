"""Hydra's flags, wherever they stand among the words."""

from argparse import Namespace
from collections.abc import Sequence

from hydra._internal.utils import get_args_parser


def flags(arguments: Sequence[str]) -> Namespace:
    """Hydra's flags and, as `overrides`, the words."""
    return get_args_parser().parse_intermixed_args(list(arguments))

"""From a configuration to data and a model."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch

from diffstn.annotations import parameters
from diffstn.build.instantiated import instantiated, user_errors
from diffstn.data.facts import Facts
from diffstn.data.kinds import check_needs
from diffstn.errors import UserError
from diffstn.located import located

Config = Mapping[str, Any]
"""A composed configuration as plain containers."""


class Built(NamedTuple):
    """All that a configuration describes."""

    model: pl.LightningModule
    data: Any
    """A data module; None for a model that needs no data."""
    task: Any


def needed(config: Config) -> dict[str, Any]:
    """The part of a configuration that builds its model."""
    names = parameters(located(config["model"]["_target_"]))
    return {name: config[name] for name in config if name == "model" or name in names}


def build_data(config: Config) -> Any:
    """The data module, or None if the configuration has none."""
    return instantiated(config["data"], "data") if "data" in config else None


def build_task(config: Config) -> Any:
    """What the model is for."""
    return instantiated(config["task"], "task")


def build_model(config: Config, facts: Facts | None = None) -> pl.LightningModule:
    """The model, given the facts of its data.

    The constructor says by the names of its parameters what it needs. The settings below `model`
    go first; what else it names is `facts`, or stands at the top level of the configuration: a
    group whose node becomes an object (or, with `_partial_: true`, a factory), or a plain value.
    A new model, part or group therefore needs nothing here.

    Raises:
        UserError: a part is missing, or a constructor refuses what it gets.
    """
    node = config["model"]
    target = located(node["_target_"])
    own = {k: instantiated(v, f"model.{k}") for k, v in node.items() if k != "_target_"}
    wanted = sorted(parameters(target).keys() - own.keys())
    parts = {name: instantiated(config[name], name) for name in wanted if name in config}
    if "facts" in wanted:
        parts["facts"] = facts
    with user_errors(f"model={config.get('choices', {}).get('model', target.__name__)}"):
        model = target(**own, **parts)
    return model.to(memory_format=torch.channels_last)


def build(config: Config) -> Built:
    """Data, model and task of a configuration, which fit one another.

    Raises:
        UserError: they do not, or one of them refuses its settings.
    """
    check_needs(config)
    data = build_data(config)
    model = build_model(config, data.facts if data is not None else None)
    return Built(model, data, build_task(config))


def untrained(config: Config) -> Built:
    """What a configuration describes whose model has nothing to learn.

    Raises:
        UserError: it has.
    """
    built, name = build(config), config["choices"]["model"]
    if any(p.requires_grad for p in built.model.parameters()):
        raise UserError(f"model={name} has to be trained first: pass run=<folder of its run>")
    return built

"""Overrides of a finished configuration, as when a run is evaluated anew."""

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from diffstn.cli.conf import composed, composing, groups
from diffstn.cli.refusals import keys, no_setting, parse
from diffstn.errors import UserError
from diffstn.words import closest


def apply_overrides(
    config: dict[str, Any], words: Sequence[str], search: Sequence[str] = ()
) -> dict[str, Any]:
    """Change the configuration of a run.

    `group=choice` replaces a group by its file, and with it the groups within, and `key=value` a
    value that exists; `+callbacks=choice` adds. Groups go first, outer ones before those within,
    whatever the order of the words. A key that follows another, as `trainer.max_epochs` does
    `epochs`, still does.

    Raises:
        UserError: an unknown key, group or choice.
    """
    result = OmegaConf.create(config)
    with composing(search) as loader:
        known_groups = groups(loader)
    parsed = parse(words)

    def rank(override: Override) -> tuple[bool, int]:
        name = override.key_or_group
        return name not in known_groups, name.count("/")

    for override in sorted(parsed, key=rank):
        if override.is_sweep_override():
            raise UserError(f"'{override.input_line}' is a sweep; only train.py -m runs those")
        if override.is_delete():
            raise UserError(f"'{override.input_line}': a run keeps what it has; set it instead")
        key, value = override.key_or_group, override.value()
        if key in known_groups:
            for choice in value if isinstance(value, list) else [value]:
                _choose(result, key, choice, known_groups[key], search)
        else:
            known = list(keys(OmegaConf.to_container(result)))
            if key not in known or key.startswith("choices"):  # which are names alone
                raise UserError(no_setting(key, [*known, *known_groups]))
            OmegaConf.update(result, key, value, merge=False)
            for follower, leader in FOLLOWERS.items():
                if leader == key and follower in known:
                    OmegaConf.update(result, follower, value, merge=False)
    return OmegaConf.to_container(result, resolve=True)  # type: ignore[return-value]


FOLLOWERS = {
    "trainer.max_epochs": "epochs",
    "trainer.check_val_every_n_epoch": "validate_every",
}
"""Keys that take the value of another; in a finished configuration the link is gone."""


def _choose(
    result: DictConfig, group: str, choice: Any, options: Sequence[str], search: Sequence[str]
) -> None:
    """Put a choice of a group in the place of the run's own."""
    if choice not in options:
        raise UserError(f"{group}={choice}: no such choice; {closest(str(choice), options)}")
    try:
        node = composed(None, [f"+{group}={choice}"], search, hydra_too=True)
        names = node.hydra.runtime.choices
    except Exception:  # it overrides other groups, which are not there
        names = {"": None}
    chosen = {k: v for k, v in names.items() if not k.startswith("hydra")}
    if any(name != group and not name.startswith(f"{group}/") for name in chosen):
        raise UserError(
            f"{group}={choice}: a run keeps its {group}; override single settings, or train anew"
        )
    inner: Any = node
    for part in group.split("/"):
        inner = inner.get(part) if inner is not None else None
    with open_dict(result):
        if inner is None:  # a group that settles keys of another one
            settled: Any = OmegaConf.to_container(node)
            result.merge_with({name: one for name, one in settled.items() if name != "hydra"})
        elif group in ("callbacks", "logger"):
            result.merge_with({group: inner})
        else:
            OmegaConf.update(result, group.replace("/", "."), inner, merge=False)
        result.choices.update(chosen)

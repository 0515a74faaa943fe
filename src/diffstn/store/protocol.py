"""How numbers came about."""

from collections.abc import Mapping
from typing import Any

from diffstn.hardware import Hardware
from diffstn.store.checkpoints import evaluated_weights


def protocol(
    config: Mapping[str, Any], metrics: Mapping[str, Any], hardware: Hardware
) -> dict[str, Any]:
    """The choices of the run, what its task says of its measure, the weights and the hardware.

    With them, the settings of all objects that are no factories: what sampling depends on.
    """
    objects = {
        name: {k: v for k, v in node.items() if not k.startswith("_")}
        for name, node in config.items()
        if isinstance(node, Mapping) and "_target_" in node and not node.get("_partial_")
    }
    own = {name: objects[name] for name in objects if name not in ("data", "model")}
    steps = config["trainer"]["max_steps"]
    return {
        **config["choices"],
        **metrics.get("protocol", {}),
        **({"steps": steps} if steps > 0 else {"epochs": config["epochs"]}),
        "seed": config["seed"],
        "weights": evaluated_weights(config),
        "checkpoint": config["evaluate"]["checkpoint"],
        "settings": own,
        "hardware": hardware.reason,
    }

"""Turn a run into a small folder that ships with the package.

Usage: python -m diffstn.store.shipping <run folder> <name> [best|last]
"""

import re
import sys
from typing import Any

import torch
import yaml
from safetensors.torch import save_file

from diffstn.store.checkpoints import trained_weights
from diffstn.store.run_folder import PRETRAINED, RunFolder, open_run

LIMIT = 4 * 1024 * 1024


def ships_itself(node: Any) -> bool:
    """Whether a part of a configuration is kept from a run that is in the package anyway."""
    return isinstance(node, dict) and "kept" in node and node["run"].startswith("pretrained/")


def ship(run: RunFolder, name: str, checkpoint: str = "best") -> RunFolder:
    """Write the run to `pretrained/<name>/`, its weights as `weights.safetensors`.

    The averaged weights are stored in half precision; loading casts them back. A frozen part that
    ships itself is left to its own folder, any other stays: a shipped run needs nothing that does
    not ship. Where data lay on this machine is left out.

    Raises:
        ValueError: the weights take more than 4 MiB.
    """
    config = run.read_config()
    shared = [name for name, node in config.items() if ships_itself(node)]
    for part in shared:
        del config[part]["kept"]
    weights = trained_weights(run, checkpoint, "ema" if config["ema_decay"] else "raw")
    half = {
        key: value.to(torch.float16).contiguous() if value.is_floating_point() else value
        for key, value in weights.items()
        if not (key.split(".")[0] in shared and ".network." in key)  # of `Frozen`
    }
    size = sum(value.numel() * value.element_size() for value in half.values())
    if size > LIMIT:
        raise ValueError(f"the weights take {size / 2**20:.1f} MiB, more than {LIMIT / 2**20:.0f}")
    shipped = RunFolder(PRETRAINED / name)
    shipped.path.mkdir(parents=True, exist_ok=True)
    save_file(half, shipped.path / "weights.safetensors")
    (shipped.path / "weights.safetensors").chmod(0o644)
    config.update(out=None, resume=False, debug=False)
    config["data"].update({name: None for name in ("root", "source") if config["data"].get(name)})
    shipped.config.write_text(yaml.safe_dump(config, sort_keys=False))
    if (run.path / "facts.json").exists():
        shipped.write_json("facts", run.read_json("facts"))
    command = ["python train.py", *(run.path / "overrides.txt").read_text().split()]
    command = [word for word in command if not word.startswith(("out=", "hydra."))]
    command = [re.sub(r"^(data\.(root|source))=.*", r"\1=...", word) for word in command]
    metrics = {**run.read_json("metrics"), "command": " ".join(command)}
    shipped.write_json("metrics", metrics)
    return shipped


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    print(ship(open_run(sys.argv[1]), *sys.argv[2:]).path)

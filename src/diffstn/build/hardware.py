"""Which device and which precision a run uses, and why."""

from typing import Any, NamedTuple

import torch

from diffstn.errors import UserError


class Hardware(NamedTuple):
    """What to hand to the Trainer, and a line for the log."""

    accelerator: str
    devices: int
    precision: str
    strategy: str
    reason: str

    @property
    def device(self) -> torch.device:
        return torch.device("cuda" if self.accelerator == "gpu" else "cpu")

    def autocast(self) -> torch.autocast:
        """The context that this precision means outside a Trainer."""
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.precision == "bf16-mixed"
        )


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AMX or AVX512-BF16)."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def choose_hardware(
    name: str = "auto",
    devices: int = 1,
    precision: str = "auto",
    strategy: str = "auto",
) -> Hardware:
    """Turn `accelerator=…` into a device and a precision.

    bf16 where the hardware has it, fp32 elsewhere. fp16 is never chosen: its range overflows.

    Raises:
        UserError: a GPU is asked for and there is none, or a name is unknown.
    """
    if name not in ("auto", "cpu", "gpu"):
        raise UserError(f"accelerator.name={name}: choose auto, cpu or gpu")
    if precision not in ("auto", "fp32", "bf16"):
        raise UserError(f"accelerator.precision={precision}: choose auto, fp32 or bf16")
    gpu = torch.cuda.is_available()
    if name == "gpu" and not gpu:
        raise UserError("accelerator=gpu: no CUDA device is visible; use accelerator=cpu or auto")
    if name == "gpu" or (name == "auto" and gpu):
        where, fast = (
            torch.cuda.get_device_name(),
            torch.cuda.is_bf16_supported(including_emulation=False),
        )
    else:
        where, fast, name = f"CPU, {torch.get_num_threads()} threads", cpu_has_bf16(), "cpu"
    chosen = fast if precision == "auto" else precision == "bf16"
    why = {
        ("auto", True): "bf16: the hardware has it",
        ("auto", False): "fp32: the hardware has no bf16",
    }.get((precision, fast), f"{precision}: asked for")
    return Hardware(
        accelerator="cpu" if name == "cpu" else "gpu",
        devices=devices,
        precision="bf16-mixed" if chosen else "32-true",
        strategy=strategy,
        reason=f"{where}; {why}",
    )


def environment(hardware: Hardware, seed: int) -> dict[str, Any]:
    """Versions, commit, device and seed, for `environment.json`."""
    import platform
    import subprocess
    from importlib.metadata import version
    from pathlib import Path

    packages = ("torch", "torchvision", "pytorch-lightning", "hydra-core", "omegaconf")
    try:
        commit = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
    except OSError:  # no git on this machine
        commit = ""
    return {
        "diffstn": version("diffstn"),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
        "commit": commit or None,
        "platform": platform.platform(),
        "hardware": hardware.reason,
        "precision": hardware.precision,
        "seed": seed,
    }

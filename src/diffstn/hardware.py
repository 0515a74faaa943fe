"""Which device and which precision a run uses, and why."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import torch

from diffstn.errors import UserError

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
"""Our words for Lightning's; Lightning's own are passed on."""
LOAD = Path("/proc/loadavg")
OTHERS = ("16-true", "16-mixed", "bf16-true", "bf16-mixed", "32-true", "64-true")
DEVICES = {"gpu": "cuda", "cuda": "cuda", "mps": "mps"}


class Hardware(NamedTuple):
    """What to hand to the Trainer, and a line for the log."""

    accelerator: str
    precision: str
    reason: str

    @property
    def device(self) -> torch.device:
        return torch.device(DEVICES.get(self.accelerator, "cpu"))

    def autocast(self) -> torch.autocast:
        """The context that this precision means outside a Trainer."""
        half = torch.float16 if self.precision == "16-mixed" else torch.bfloat16
        return torch.autocast(self.device.type, half, enabled=self.precision.endswith("-mixed"))


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AMX or AVX512-BF16)."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def other_work() -> float:
    """How many other threads compute: the mean of a minute, and now; 0 where Linux does not say."""
    try:
        mean, _, _, now, *_ = LOAD.read_text().split()
        return min(float(mean), int(now.split("/")[0]) - 1.0)
    except (OSError, ValueError):
        return 0.0


def crowded(threads: int) -> str:
    """What to do if other work leaves no room for so many threads; empty if there is room.

    Threads of one operation wait for each other, so one that has no core stops all: beside two busy
    processes on two cores a training with two threads takes twice as long as with one.
    """
    cores, load = os.cpu_count() or 1, other_work()
    if threads == 1 or load + threads < cores + 1:
        return ""
    room = max(1, round(cores - load))
    return (
        f" on {cores} cores that are busy (load {load:.1f}): OMP_NUM_THREADS={room} may be faster"
    )


def choose_hardware(accelerator: str = "auto", precision: str = "auto") -> Hardware:
    """Turn `accelerator=…` and `trainer.precision=…` into a device and a precision.

    bf16 where the hardware has it, fp32 elsewhere. fp16, whose range overflows, and Apple's MPS are
    used where they are asked for alone.

    Raises:
        UserError: a device is asked for that is not there, or a name is unknown.
    """
    if accelerator not in ("auto", "cpu", *DEVICES):
        raise UserError(f"trainer.accelerator={accelerator}: choose auto, cpu, gpu or mps")
    if precision not in ("auto", *PRECISIONS, *OTHERS):
        raise UserError(
            f"trainer.precision={precision}: choose auto, fp32, bf16 or fp16, or Lightning's"
            f" {', '.join(OTHERS)}"
        )
    gpu = torch.cuda.is_available()
    if DEVICES.get(accelerator) == "cuda" and not gpu:
        raise UserError("accelerator=gpu: no CUDA device is visible; use accelerator=cpu or auto")
    if accelerator == "mps":
        if not torch.backends.mps.is_available():
            raise UserError("trainer.accelerator=mps: there is none here; use auto or cpu")
        where, fast, chosen = "Apple GPU", False, "mps"
    elif DEVICES.get(accelerator) == "cuda" or (accelerator == "auto" and gpu):
        where, chosen = torch.cuda.get_device_name(), "gpu"
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        threads = torch.get_num_threads()
        where, chosen = f"CPU, {threads} threads{crowded(threads)}", "cpu"
        fast = cpu_has_bf16()
    if precision == "auto":
        why = "bf16: the hardware has it" if fast else "fp32: the hardware has no bf16"
        kind = "bf16-mixed" if fast else "32-true"
    else:
        why, kind = f"{precision}: asked for", PRECISIONS.get(precision, precision)
    return Hardware(chosen, kind, f"{where}; {why}")

"""Work and noise that several processes share."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Generator, Tensor

from diffstn.errors import UserError

Part = TypeVar("Part")
Answer = TypeVar("Answer")

_noise: dict[str, Generator] = {}
"""Of every kind of device, the generator that all processes have alike."""
_parts: list[Any] = []
"""What this process works on by itself at the moment."""


def group() -> tuple[int, int]:
    """(rank, world size) of this process among those that work together; (0, 1) of a lone one."""
    if _parts:
        return 0, 1
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def in_order(parts: Iterable[Part], work: Callable[[Part], Answer]) -> Iterator[Answer]:
    """What `work` answers to each of the parts, in their order, on every process.

    Process r of w works on the parts r, r + w, … and hears of the others' answers; all must have
    the same parts. Answers are tensors on the CPU, or containers of them. What is made of them in
    this order is the same to the bit whatever w is, if `work` depends on nothing but the part.
    """
    rank, world = group()
    if world == 1:
        yield from map(work, parts)
        return
    waiting = iter(parts)
    while some := list(itertools.islice(waiting, world)):
        mine = _alone(work, some[rank]) if rank < len(some) else None
        found: list[Any] = [None] * world
        torch.distributed.all_gather_object(found, mine)
        yield from found[: len(some)]


def _alone(work: Callable[[Part], Answer], part: Part) -> Answer:
    _parts.append(part)
    try:
        return work(part)
    finally:
        _parts.pop()


def of_all(
    draw: Callable[[int, Generator | None], Tensor],
    own: int,
    device: torch.device,
    generator: Generator | None = None,
    each: int = 1,
) -> Tensor:
    """This process's rows of what is drawn for the items of all processes together.

    Noise belongs to the item. Item i of the whole batch is item i // w of process i mod w, as in
    `IndexLoader`: w processes train on what one would draw for a batch w times as large.

    Args:
        draw: n, generator → (n, *).
        own: n of this process, the same on all.
        device: of the items, which says whose generator is asked.
        generator: another one, in the same state on all processes.
        each: rows of an item, which follow one another.
    """
    rank, world = group()
    if world == 1:
        return draw(own, generator)
    drawn = draw(own * world, generator or common(device))
    return drawn.unflatten(0, (len(drawn) // each, each))[rank::world].flatten(0, 1)


def common(device: torch.device) -> Generator | None:
    """The generator that all processes have alike; None, the global one, for a lone process."""
    return _noise.get(device.type) if group()[1] > 1 else None


def seed_common(seed: int, device: torch.device) -> Generator:
    """Put that of `device` in the same state on all processes; return it."""
    return _noise.setdefault(device.type, Generator(device)).manual_seed(seed)


def summed(part: Tensor) -> Tensor:
    """The sum of what all processes have, in the place of this one's."""
    if group()[1] > 1:
        torch.distributed.all_reduce(part)
    return part


def agreed(flag: bool) -> bool:
    """Whether all processes say so."""
    if group()[1] == 1:
        return flag
    flags: list[Any] = [None] * group()[1]
    torch.distributed.all_gather_object(flags, flag)
    return all(flags)


def deserted(error: BaseException) -> UserError | None:
    """What to say of the complaint of a process that waits for one that has died."""
    named = type(error).__name__.startswith("Dist")  # of torch.distributed, over NCCL
    if named or (isinstance(error, RuntimeError) and "gloo" in str(error)):
        return UserError("another process of this run has died; resume=true goes on")
    return None


def leave() -> None:
    """From here on each process works alone; metrics wait for none that has gone."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    _noise.clear()


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Within this context, the processes that torchrun has started work together."""
    started = int(os.environ.get("WORLD_SIZE", "1")) > 1 and "MASTER_ADDR" in os.environ
    if not started or not torch.distributed.is_available() or torch.distributed.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

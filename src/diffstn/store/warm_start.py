"""A new run that starts from old weights."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from diffstn.errors import UserError
from diffstn.store.bounded import read_checkpoint, state_of
from diffstn.store.checkpoints import trained_weights
from diffstn.store.run_folder import open_run


def weights_of(ckpt: str) -> dict[str, Tensor]:
    """The state in a checkpoint file (its average, if it has one), or that of a run.

    Raises:
        UserError: it is neither.
    """
    if not Path(ckpt).is_file():
        return trained_weights(open_run(ckpt, "ckpt"))
    try:
        content = read_checkpoint(ckpt)
        return state_of(
            content, "ema_state_dict" if content.get("ema_state_dict") else "state_dict"
        )
    except ValueError as error:
        raise UserError(f"ckpt={ckpt} is no checkpoint ({error})") from None


def renamed(weights: Mapping[str, Tensor], parts: Mapping[str, str]) -> dict[str, Tensor]:
    """Weights of the modules that `parts` names alone, under the names that it gives them.

    Raises:
        UserError: there is no weight in one of these modules.
    """
    found = {
        f"{own}{name.removeprefix(their)}": weight
        for their, own in parts.items()
        for name, weight in weights.items()
        if name.startswith(f"{their}.")
    }
    for their, own in parts.items():
        if not any(name.startswith(f"{own}.") for name in found):
            modules = sorted({name.rpartition(".")[0] for name in weights})
            raise UserError(f"ckpt_parts: there is no {their}; there are {', '.join(modules)}")
    return found


def warm_start(model: nn.Module, ckpt: str, parts: Mapping[str, str] | None = None) -> str:
    """Take over all weights of the same name and shape; what a new data set changes starts anew.

    What the model has of another run, such as a judge, stays as it is.

    Args:
        model: takes them over.
        ckpt: a run or a checkpoint file.
        parts: modules of the other model and what they are called in this one, such as an encoder
            of a classifier; the rest stays as it is. None or empty: all are called the same.

    Returns:
        A line that says how much was taken and what was not.

    Raises:
        UserError: nothing fits, or there is no such part.
    """
    own, theirs = model.state_dict(), weights_of(ckpt)
    theirs = renamed(theirs, parts) if parts else theirs
    brought = tuple(
        f"{name}." for name, m in model.named_modules() if getattr(m, "brought_weights", False)
    )
    fitting = {
        k: v
        for k, v in theirs.items()
        if k in own and own[k].shape == v.shape and not k.startswith(brought)
    }
    if not fitting:
        raise UserError(f"ckpt={ckpt}: none of its weights fit this model")
    model.load_state_dict({**own, **fitting})
    new = sorted({".".join(k.split(".")[:3]) for k in own.keys() - fitting.keys()})
    left = f"; new: {', '.join(new[:8])}{' …' if len(new) > 8 else ''}" if new else ""
    return f"started from {ckpt}: {len(fitting)} of {len(own)} tensors{left}"

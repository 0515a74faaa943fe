"""A new run that starts from old weights."""

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


def warm_start(model: nn.Module, ckpt: str) -> str:
    """Take over all weights of the same name and shape; what a new data set changes starts anew.

    What the model has of another run, such as a judge, stays as it is.

    Returns:
        A line that says how much was taken and what was not.

    Raises:
        UserError: nothing fits.
    """
    own, theirs = model.state_dict(), weights_of(ckpt)
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

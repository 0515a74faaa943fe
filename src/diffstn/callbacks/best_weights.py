"""The best weights of a run."""

from typing import Any

from pytorch_lightning.callbacks import ModelCheckpoint


class BestWeights(ModelCheckpoint):
    """The run's own `best.ckpt`.

    Lightning tells callbacks apart by what they monitor. The name of this class keeps users free to
    add a `ModelCheckpoint` of the same number.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Of a run that was moved, too: what it kept is where it is now."""
        super().load_state_dict(moved(state_dict, str(self.dirpath)))

    @property
    def _legacy_state_key(self) -> Any:
        """Under which runs of version 0.1 stored the state."""
        return self.state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__)


def moved(state: dict[str, Any], folder: str) -> dict[str, Any]:
    """The state of a `ModelCheckpoint`, with the paths that it would have in `folder`."""
    old = str(state.get("dirpath") or folder)

    def here(value: Any) -> Any:
        if isinstance(value, str) and value.startswith(old):
            return folder + value[len(old) :]
        if isinstance(value, dict):
            return {here(key): here(one) for key, one in value.items()}
        return value

    return here(state)

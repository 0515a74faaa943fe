"""The best weights of a run."""

from typing import Any

from pytorch_lightning.callbacks import ModelCheckpoint


class BestWeights(ModelCheckpoint):
    """The run's own `best.ckpt`.

    Lightning tells callbacks apart by what they monitor. The name of this class keeps users free to
    add a `ModelCheckpoint` of the same number.
    """

    @property
    def _legacy_state_key(self) -> Any:
        """Under which runs of version 0.1 stored the state."""
        return self.state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__)

"""What stands for an optimiser where there is nothing to learn."""

from typing import Any, NoReturn

from diffstn.errors import UserError


class NothingToTrain:
    """Refuses whatever would train a model.

    Args:
        model: the word that chooses it.

    Raises:
        UserError: when called.
    """

    def __init__(self, model: str) -> None:
        self.model = model

    def __call__(self, *told: Any) -> NoReturn:
        raise UserError(f"model={self.model} has nothing to train: python evaluate.py measures it")

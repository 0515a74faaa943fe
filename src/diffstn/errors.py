"""The exceptions that the command line turns into a line of advice and exit code 2."""

from collections.abc import Callable


class UserError(ValueError):
    """Something the user asked for cannot work; the message is one line and names the remedy."""


class Misfit(UserError):
    """A choice of one group that does not go with the others.

    Args:
        message: what does not go together.
        group: name of the group whose choice it is.
        fits: whether another class or function of the group, by its dotted name, would do.
    """

    def __init__(self, message: str, group: str, fits: Callable[[str], bool]) -> None:
        super().__init__(message)
        self.group, self.fits = group, fits

"""The exceptions that the command line turns into a line and an exit code."""

import errno
from collections.abc import Callable

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EIO)
"""What a full disk, a folder that is not ours and a broken one say."""


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


class Stopped(BaseException):
    """The run was asked to end.

    Args:
        why: the signal's name, or that its time is up.
        code: the exit code for it.
    """

    def __init__(self, why: str, code: int) -> None:
        super().__init__(why)
        self.why, self.code = why, code

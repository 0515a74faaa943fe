"""The one exception the command line turns into a line of advice and exit code 2."""


class UserError(ValueError):
    """Something the user asked for cannot work; the message is one line and names the remedy."""

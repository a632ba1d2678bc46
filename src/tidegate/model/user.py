"""Who we are, by name."""

import getpass
import os


def user_name() -> str:
    """The name of the user we run as; the number where it has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())

"""Names of users by their numbers."""


class Users:
    """Asks the system once for each number; forgets all when there are too many."""

    def __init__(self, bound: int = 4096) -> None:
        self._names: dict[int, str] = {}
        self._bound = bound

    def name(self, uid: int | str | None) -> str | None:
        """The name, or the number where it has none."""
        if uid is None or isinstance(uid, str):
            return uid
        if uid not in self._names:
            if len(self._names) >= self._bound:
                self._names.clear()
            self._names[uid] = _ask(uid)
        return self._names[uid]


def _ask(uid: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError, OverflowError):
        return str(uid)

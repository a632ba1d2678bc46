"""The keys of the screen: an explicit list."""

from textual.binding import Binding, BindingType


def _key(keys: str, action: str, *, first: bool = False) -> Binding:
    return Binding(keys, action, show=False, priority=first)


def keys(tabs: int) -> list[BindingType]:
    """Every key with its action, for so many tabs."""
    return [
        *(_key(str(number), f"tab({number - 1})") for number in range(1, tabs + 1)),
        _key("tab", "pane(1)", first=True),
        _key("shift+tab", "pane(-1)", first=True),
        _key("right,l", "step(1)"),
        _key("left,h", "step(-1)"),
        _key("up", "move(-1)"),
        _key("k", "up_or_kill"),
        _key("down,j", "move(1)"),
        _key("pageup", "page(-1)"),
        _key("pagedown", "page(1)"),
        _key("home,g", "edge(0)"),
        _key("end,G", "edge(1)"),
        _key("enter", "choose"),
        _key("slash", "filter"),
        _key("escape", "clear"),
        _key("s", "sort"),
        _key("S", "turn"),
        _key("space", "pause"),
        _key("u", "units_or_release"),
        _key("n", "names"),
        _key("a", "group_or_acknowledge"),
        _key("t", "closed"),
        _key("I", "interface"),
        _key("e", "export"),
        _key("c", "copy"),
        _key("m", "mute"),
        _key("w", "silence"),
        _key("x", "end_quiet"),
        _key("R", "reject"),
        _key("question_mark", "help"),
        _key("q", "leave"),
        _key("ctrl+c", "quit", first=True),
    ]

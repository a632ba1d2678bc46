"""Help: the keys that mean something here, the signs, the filter language."""

import textwrap

from tidegate.tui.look import Signs
from tidegate.tui.views.now import Line

EVERYWHERE = (
    ("1-8, Tab, Shift-Tab", "choose a tab; Tab in Now: one table after the other"),
    ("arrows or hjkl, g G, PgUp PgDn", "move"),
    ("/", "filter this table; Esc clears it"),
    ("s, S", "sort by the next column, the other way round"),
    ("space", "stand still, go on"),
    ("u", "bytes or bits"),
    ("n", "names or addresses"),
    ("I", "one interface after the other, then all"),
    ("e", "export what is shown to a file: .csv or .jsonl"),
    ("c", "copy the row"),
    ("? q Ctrl-C", "help; leave (twice while recording); leave now"),
)
TABS = {
    "Conns": (
        ("Enter", "details: connection, application, who, where, health, timeline"),
        ("a", "together by program, or not"),
        ("t", "with those that are over, or not (they stay for 10 s)"),
    ),
    "Programs": (("Enter", "its connections"), ("a", "together by name, or each process")),
    "Hosts": (("Enter", "its connections"),),
    "HTTP": (("Enter", "connections to that host"),),
    "Relays": (
        ("Enter", "the connections of a service; Esc leads back"),
        ("R", "reject an address: its connections end, no further one is let in"),
        ("u", "on a rejected address: let it in again"),
    ),
    "Relayed": (
        ("Enter", "all there is to say, with the first bytes as text and in hex"),
        ("k", "end the connection"),
        ("R", "reject its address: its connections end, no further one is let in"),
        ("u", "where its address is rejected: let it in again"),
        ("Esc", "back to the services"),
    ),
    "Alerts": (
        ("Enter", "details"),
        ("a", "acknowledge: somebody has seen it"),
        ("m", "mute the rule for an hour: nobody is told"),
        ("w", "silence: a rule, key, source (src:) or destination (dst:); nothing is raised"),
        ("x", "end a mute or silence: the row's, or the one of the alert"),
    ),
}
MEANINGS = (
    ("= ~ ≈ ?", "program by a kernel event, a table at that time, the port's holder, nobody"),
    ("†", "the program has exited"),
    ("×12 *", "so many processes of that name; found in several ways"),  # noqa: RUF001
    ("▼ ▲", "what this machine receives and sends"),
    ("→ ←", "opened here, opened there"),
    ("seen, own", "share of packets not dropped, share of bytes whose program is known (60 s)"),
    ("State", "Zeek's: S0 no answer, S1 open, SF ended well, REJ refused, RSTO/RSTR reset"),
)
FILTER = (
    ("prog:firefox", "the program's name contains it; =firefox exactly, fire* and /fire(fox)?/ patterns"),
    ("-net:10.0.0.0/8", "not to or from there; src:, dst: one end"),
    ("port:>1024 bytes:>5M", "numbers with units; 443  80-90  >1024  <=5M"),
    ("state:S0,REJ", "either; port:- a missing value"),
    ("github", "a word alone is looked for in names, addresses, programs"),
)


KEYS = 33
"""Cells of keys, on a terminal that is wide enough."""


def lines(tab: str, signs: Signs, width: int) -> list[Line]:
    """The help for a tab, in lines that fit the width."""
    result: list[Line] = []
    for title, rows in (
        (f"In {tab}", TABS.get(tab, ())), ("Everywhere", EVERYWHERE), ("Signs", MEANINGS),
        ("Filter", FILTER),
    ):  # fmt: skip
        if rows:
            result.append([(f" {title}", "head")])
            for name, meaning in rows:
                result += _entry(signs.plain(name), signs.plain(meaning), width)
            result.append([])
    return result


def _entry(name: str, meaning: str, width: int) -> list[Line]:
    """Keys, and beside them what they do; below them where there is little room."""
    if width < 2 * KEYS:
        found: list[Line] = [[(f" {part}", "bold")] for part in textwrap.wrap(name, width - 1)]
        return found + [[(f"   {part}", "")] for part in textwrap.wrap(meaning, width - 3)]
    names = textwrap.wrap(name, KEYS - 2)
    meanings = textwrap.wrap(meaning, width - KEYS - 1)
    height = max(len(names), len(meanings))
    pairs = zip(_filled(names, height), _filled(meanings, height), strict=True)
    return [[(f" {left:<{KEYS - 1}} ", "bold"), (right, "")] for left, right in pairs]


def _filled(parts: list[str], height: int) -> list[str]:
    return parts + [""] * (height - len(parts))


def keys(tab: str, signs: Signs, width: int) -> Line:
    """The line at the bottom: what can be pressed here. Help and leaving always stand at its end."""
    moves = {"Now": "1-8 tabs  Tab into a table"}.get(tab, "↑↓ move  ⏎ open  / filter  s sort")
    own = {
        "Now": "/ find a connection  space pause  u units  n names",
        "Conns": "a group  t closed  space pause",
        "Programs": "a by name  e export  space pause",
        "Relays": "R reject an address  u let in  space pause",
        "Relayed": "k end  R reject  u let in  Esc back",
        "Alerts": "a ack  m mute  w silence  x end",
    }.get(tab, "e export  space pause")
    end = "? help  q quit "
    text = signs.plain(f" {moves}  {own}")
    room = width - len(end) - 1
    if len(text) > room:
        text = text[: max(text[: room + 1].rfind("  "), 0)] if room > 0 else ""
    return [(text.ljust(max(room, 0)), "dim"), (" " + end, "bold")]

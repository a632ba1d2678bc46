"""Relays in one word: ":22=127.0.0.1:2222", what is listened on and where it leads."""

from collections.abc import Iterable

from tidegate.model.config import RelayServiceSettings
from tidegate.model.ends import leads_into, parse_listen, parse_target
from tidegate.model.errors import UsageError
from tidegate.model.text import clip

EXPECTED = "LISTEN=BACKEND is expected, such as :22=127.0.0.1:2222, [::]:80=name:8080 or :25=unix:/run/x.sock"


def parse_spec(text: str) -> RelayServiceSettings:
    """A service of one door, named by it; raises UsageError that says what is expected."""
    listen, equals, backend = (part.strip() for part in text.partition("="))
    if not (equals and listen and backend):
        raise UsageError(f'"{clip(text, 60)}": {EXPECTED}')
    try:
        door, target = parse_listen(listen), parse_target(backend)
    except UsageError as error:
        raise UsageError(f"{error}; {EXPECTED}") from None
    if leads_into(door, target):
        raise UsageError(f'"{clip(text, 60)}" leads to itself: name another port behind')
    return RelayServiceSettings(name=listen, listen=(listen,), backend=backend)


def parse_specs(
    texts: Iterable[str], taken: Iterable[RelayServiceSettings] = ()
) -> tuple[RelayServiceSettings, ...]:
    """Those services; raises UsageError where two of them, or one and a `taken` one, have one name."""
    names = {service.name for service in taken}
    services = []
    for text in texts:
        service = parse_spec(text)
        if service.name in names:
            raise UsageError(f'"{clip(text, 60)}": "{service.name}" is there already')
        names.add(service.name)
        services.append(service)
    return tuple(services)

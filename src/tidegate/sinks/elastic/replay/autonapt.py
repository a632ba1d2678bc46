"""AutoNapt's events, a JSON object a line, as documents in ECS.

    datetime, connection_id, type, protocol, packet_size, packet, sha1,
    client and server: remote and local: address, port; geo or geoip of the client's remote end

What ECS has no field for stands under `autonapt`; keys that are no AutoNapt's are kept in `autonapt.rest`.
"""

import json
from collections.abc import Mapping
from datetime import tzinfo
from ipaddress import ip_address
from typing import Any

from tidegate.sinks.ecs_fields import VERSION
from tidegate.sinks.elastic.moment import nanoseconds
from tidegate.sinks.moments import iso

_OWN = ("connection_id", "packet_size", "packet", "sha1")
_KNOWN = frozenset(
    {*_OWN, "datetime", "type", "protocol", "client", "server", "remote", "local", "geo", "geoip"}
)

Object = dict[str, Any]


def is_event(line: Mapping[str, Any]) -> bool:
    """Whether it looks like one."""
    return {"datetime", "connection_id", "type"} <= line.keys()


def event(line: Mapping[str, Any], zone: tzinfo) -> tuple[int, bytes]:
    """Time (nanoseconds since 1970) and document; `zone` is that of the machine. Raises ValueError."""
    ts = nanoseconds(line["datetime"], zone)
    client = _object(line.get("client")) or {key: line[key] for key in ("remote", "local") if key in line}
    server = _object(line.get("server"))
    kind = str(line["type"])
    protocol = line.get("protocol")
    sha1 = line.get("sha1")
    rest = {key: value for key, value in line.items() if key not in _KNOWN}
    whole: Object = {
        "@timestamp": iso(ts),
        "ecs": {"version": VERSION},
        "event": {
            "kind": "event",
            "category": ["network"],
            "action": kind,
            "module": "autonapt",
            "dataset": "autonapt",
        },
        "network": {"transport": "tcp", "protocol": str(protocol).lower() if protocol else None},
        "source": _end(client.get("remote")) | _place(line, client),
        "destination": _end(client.get("local")),
        "related": {"hash": [str(sha1)] if sha1 else None},
        "autonapt": {
            **{key: line.get(key) for key in _OWN},
            "client": _ends(client),
            "server": _ends(server),
            "rest": rest,
        },
    }
    return ts, json.dumps(_filled(whole), separators=(",", ":")).encode()


def _ends(side: Object) -> Object:
    return {key: _pair(side.get(key)) for key in ("remote", "local")}


def _pair(end: object) -> Object:
    """Address and port, of an object or of "192.0.2.1:80"."""
    if isinstance(end, str):
        host, _, port = end.rpartition(":")
        return {"address": host.strip("[]"), "port": int(port)} if port.isascii() and port.isdigit() else {}
    found = _object(end)
    return {"address": found.get("address"), "port": found.get("port")}


def _end(end: object) -> Object:
    found = _pair(end)
    address = str(found.get("address") or "")
    try:
        ip_address(address)
    except ValueError:
        return {}
    return {"ip": address, "port": found.get("port")}


def _place(line: Mapping[str, Any], client: Object) -> Object:
    remote = _object(client.get("remote"))
    found: Object = next(
        (each[key] for each in (remote, line) for key in ("geoip", "geo") if _object(each.get(key))), {}
    )
    city = _object(found.get("city")) or found
    network = _object(found.get("asn")) or found
    said, number = network.get("asn"), network.get("number")
    return {
        "geo": {
            "country_iso_code": _text(city.get("iso_code") or city.get("country")),
            "country_name": _text(city.get("name")),
            "city_name": _text(city.get("city")),
            "region_name": _text(city.get("divisions")),
            "postal_code": _text(city.get("postal_code")),
            "location": _point(city.get("location")),
        },
        "as": {
            "number": number if isinstance(number, int) else None,
            "organization": {"name": said if isinstance(said, str) else None},
        },
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _point(value: object) -> Object | None:
    found = _object(value)
    lat, lon = found.get("lat"), found.get("lon")
    if isinstance(lat, int | float) and isinstance(lon, int | float) and abs(lat) <= 90 and abs(lon) <= 180:
        return {"lat": lat, "lon": lon}
    return None


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _filled(value: Any) -> Any:
    """The same without what is missing or empty."""
    if not isinstance(value, dict):
        return value
    parts = {key: _filled(each) for key, each in value.items()}
    return {key: each for key, each in parts.items() if each is not None and each != {}}

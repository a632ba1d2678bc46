"""A small town of traffic, made by hand: rows of every table for the board and the screen."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.model.batch import Batch, make
from tidegate.model.tables import find_table
from tidegate.tui.board.board import SECOND, Board
from tidegate.tui.board.desk import Desk, desk_of
from tidegate.tui.feeds.feed import Feed

NOW = 1_795_183_331 * SECOND
"""2026-11-20 18:02:11 UTC."""

LOCAL = ("10.0.0.2", "127.0.0.1", "2001:db8::2")
DEFAULTS = {"VARCHAR": "", "TIMESTAMP_NS": 0, "BOOLEAN": False, "DOUBLE": 0.0}


def default(kind: str) -> Any:
    """An empty value of a type."""
    return {} if kind.startswith("MAP") else DEFAULTS.get(kind, 0)


def batch(table: str, rows: Sequence[Mapping[str, Any]]) -> Batch:
    """Rows of a table; columns that are not named are missing where they may be, else empty or 0."""
    columns = {
        column.name: [row.get(column.name, None if column.nullable else default(column.type)) for row in rows]
        for column in find_table(table).columns
    }
    return make(table, columns)


def conn(number: int = 1, at: int = NOW, **values: Any) -> dict[str, Any]:
    """A connection from this machine to 192.0.2.9:443, as it is at that time."""
    row = {
        "uid": f"C{number:017d}", "ts": at - 4 * SECOND, "last_ts": at, "iface": "eth0", "proto": "tcp",
        "src_ip": "10.0.0.2", "src_port": 40_000 + number % 20_000, "dst_ip": "192.0.2.9", "dst_port": 443,
        "state": "active", "conn_state": "S1", "history": "ShADad", "duration": 4.0,
        "up_packets": 10, "up_bytes": 4_000, "up_payload": 3_000, "up_ttl": 64,
        "down_packets": 20, "down_bytes": 40_000, "down_payload": 38_000, "down_ttl": 55,
        "community_id": "1:abc=", "rtt_server": 0.012, "rtt_client": 0.0002,
    }  # fmt: skip
    return row | values


def program(name: str, pid: int, confidence: str = "event", **values: Any) -> dict[str, Any]:
    """The columns of a program."""
    return {
        "process_name": name, "process_pid": pid, "process_path": f"/usr/bin/{name}",
        "process_cmdline": f"{name} --go", "process_parent": "systemd", "process_user": "ada",
        "process_started": NOW - 3600 * SECOND, "process_method": "tracepoint",
        "process_confidence": confidence,
    } | values  # fmt: skip


CONNS = (
    conn(1, service="tls", name="api.github.com", name_source="sni", dst_country="US", dst_asn=36459,
         dst_as_org="GitHub", down_bytes=5_800_000, up_bytes=90_000, **program("firefox", 2001)),
    conn(2, src_ip="10.0.0.5", src_port=50_001, dst_ip="10.0.0.2", dst_port=22, service="ssh",
         up_bytes=400_000, down_bytes=1_700_000, **program("sshd", 1500, "listener", process_user="root")),
    conn(3, dst_ip="198.51.100.7", conn_state="S0", history="S", dst_country="RO", dst_asn=64500,
         down_bytes=0, down_packets=0, up_bytes=180, rtt_server=None,
         **program("curl", 9876, "lookup", process_container="web-1")),
    conn(4, dst_ip="203.0.113.4", dst_port=80, service="http", name="www.example.org", name_source="http",
         iface="wg0", **program("curl", 9877)),
    conn(5, proto="udp", dst_ip="10.0.0.1", dst_port=53, service="dns", conn_state="SF", down_bytes=120,
         up_bytes=60),
    conn(6, src_ip="2001:db8::2", dst_ip="2001:db8::9", service="quic", proto="udp", conn_state="SF",
         name="video.example.net", name_source="quic", down_bytes=900_000, **program("firefox", 2001)),
    conn(7, state="closed", end_reason="fin", conn_state="SF", dst_ip="192.0.2.77",
         **program("wget", 77)),
)  # fmt: skip

HTTP = tuple(
    {
        "ts": NOW - number % 50 * SECOND, "uid": "C00000000000000004", "src_ip": "10.0.0.2",
        "dst_ip": "203.0.113.4", "method": ("GET", "GET", "POST")[number % 3], "host": "www.example.org",
        "uri": f"/{('api', 'login', 'static')[number % 3]}/{number}",
        "section": f"/{('api', 'login', 'static')[number % 3]}",
        "status": (200, 200, 304, 404, 500)[number % 5], "user_agent": "curl/8", "latency": 0.02,
        "request_body": 0, "response_body": 900,
    }
    for number in range(60)
)  # fmt: skip

ALERTS = (
    {
        "ts": NOW - 1800 * SECOND, "alert_id": "A1", "rule": "iface-down", "state": "raised",
        "severity": "warning", "metric": "packets", "value": 0.0, "threshold": 1.0, "clear": 1.0,
        "since": NOW - 1800 * SECOND, "message": "wg0 is silent", "key": "wg0",
    },
    {
        "ts": NOW - 1759 * SECOND, "alert_id": "A1", "rule": "iface-down", "state": "recovered",
        "severity": "warning", "metric": "packets", "value": 5.0, "threshold": 1.0, "clear": 1.0,
        "peak": 0.0, "since": NOW - 1800 * SECOND, "duration": 41.0, "message": "wg0 up after 41 s",
        "key": "wg0",
    },
    {
        "ts": NOW - 180 * SECOND, "alert_id": "A2", "rule": "http-rate", "state": "raised",
        "severity": "critical", "metric": "http_requests", "value": 812.0, "threshold": 500.0,
        "clear": 400.0, "since": NOW - 180 * SECOND, "message": "http rate 812/s", "key": None,
    },
)  # fmt: skip

HEALTH = tuple(
    {"ts": NOW - age * SECOND, "source": name, "packets": 800, "bytes": 900_000}
    for age in range(1, 20)
    for name in ("eth0", "wg0")
)

_WEB = {
    "uid": "C00000000000000101", "connection_id": 101, "service": "front", "proto": "tcp",
    "client_ip": "192.0.2.66", "client_port": 51_000, "server_ip": "10.0.0.2", "server_port": 80,
    "client_country": "NL", "client_asn": 64501, "client_as_org": "Example Net",
}  # fmt: skip
_MAIL = _WEB | {
    "uid": "C00000000000000102", "connection_id": 102, "client_ip": "2001:db8::66", "server_port": 25,
    "client_country": None, "client_asn": None, "client_as_org": None,
}  # fmt: skip
_OVER = _WEB | {"uid": "C00000000000000103", "connection_id": 103, "client_ip": "192.0.2.67"}
_TO_WEB = {"remote_ip": "10.0.0.9", "remote_port": 8080, "backend": "web", "rule": "own-site",
           "protocol": "http"}  # fmt: skip

RELAY = (
    {"ts": NOW - 9 * SECOND, "type": "notice", "service": "front", "text": "listens on 10.0.0.2:80"},
    _WEB | {"ts": NOW - 8 * SECOND, "type": "accept"},
    _WEB | {"ts": NOW - 8 * SECOND, "type": "recv", "size": 40, "payload": "GET /login",
            "payload_base64": "R0VUIC9sb2dpbj91PRtbMkogSFRUUC8xLjENCg=="},
    _WEB | {"ts": NOW - 8 * SECOND, "type": "detect", "size": 40, "protocol": "http", "rule": "own-site"},
    _WEB | _TO_WEB | {"ts": NOW - 7 * SECOND, "type": "connect"},
    _WEB | _TO_WEB | {"ts": NOW - 7 * SECOND, "type": "send", "size": 12, "payload": "HTTP/1.1 200",
                      "payload_base64": "SFRUUC8xLjEgMjAw"},
    _MAIL | {"ts": NOW - 6 * SECOND, "type": "accept"},
    _OVER | {"ts": NOW - 90 * SECOND, "type": "accept"},
    _OVER | {"ts": NOW - 30 * SECOND, "type": "close", "cause": "idle", "up_bytes": 70, "down_bytes": 0,
             "duration": 60.0, "protocol": "ssh"},
    {"ts": NOW - 5 * SECOND, "type": "refused", "service": "front", "client_ip": "192.0.2.68",
     "client_port": 40_001, "server_ip": "10.0.0.2", "server_port": 80, "cause": "rejected"},
)  # fmt: skip

CARRIED = {
    "draining": False,
    "services": [
        {"name": "front", "listen": ["10.0.0.2:25,80"], "backend": "10.0.0.9:8080", "rules": 2,
         "connections": 2, "limit": 500, "addresses": 2, "address_limit": None, "total": 103, "up": 90_000,
         "down": 1_200_000, "refused": {"rejected": 7}, "ended": {"fin": 90, "idle": 4, "backend_reset": 3},
         "keeps": True},
        {"name": "ssh", "listen": [":22"], "backend": "127.0.0.1:2222", "rules": 0, "connections": 0,
         "limit": None, "addresses": 0, "address_limit": 5, "total": 0, "up": 0, "down": 0, "refused": {},
         "ended": {}, "keeps": False},
    ],
    "rejected": ["192.0.2.68"],
    "waiting": {"0.0.0.0:22": "address already in use"},
    "connections": [
        {"id": 101, "uid": _WEB["uid"], "service": "front", "client_ip": "192.0.2.66", "client_port": 51_000,
         "server_ip": "10.0.0.2", "server_port": 80, "backend": "web", "remote": "10.0.0.9:8080",
         "rule": "own-site", "protocol": "http", "phase": "relaying", "up": 40, "down": 120_000,
         "since": NOW - 8 * SECOND, "idle": 2.5},
        {"id": 102, "uid": _MAIL["uid"], "service": "front", "client_ip": "2001:db8::66",
         "client_port": 51_000, "server_ip": "10.0.0.2", "server_port": 25, "backend": None, "remote": None,
         "rule": None, "protocol": None, "phase": "looking", "up": 0, "down": 0, "since": NOW - 6 * SECOND,
         "idle": 6.0},
    ],
}  # fmt: skip
"""What a relay says of itself, as the control socket tells it."""

OTHER = {
    "http": HTTP,
    "alert": ALERTS,
    "health": HEALTH,
    "host": (
        {"ts": NOW, "iface": "eth0", "ip": "10.0.0.5", "mac": "02:00:00:00:00:05", "name": "nas",
         "source": "mdns"},
    ),
    "relay": RELAY,
    "tls": (
        {"ts": NOW - 4 * SECOND, "uid": "C00000000000000001", "sni": "api.github.com", "version": "TLSv1.3"},
    ),
    "dns": (
        {"ts": NOW - 4 * SECOND, "uid": "C00000000000000005", "query": "www.example.org", "qtype": "A",
         "rcode": "NOERROR", "answers": ["203.0.113.4"]},
    ),
}  # fmt: skip


DESK = {
    "open": [{"alert_id": "A2", "acknowledged_by": "grace"}],
    "mutes": {"scan": NOW + 1800 * SECOND},
    "silences": [
        {"silence_id": "5f2a", "rule": "scan", "key": None, "source": "10.0.0.7/32", "destination": None,
         "until": None, "by": "ada"},
    ],
    "rules": [
        {"rule": "http-rate", "metric": "http_requests", "window": 60.0, "threshold": 500.0, "value": 812.0,
         "key": None},
        {"rule": "scan", "metric": "distinct_ports", "window": 60.0, "threshold": 50.0, "value": 12.0,
         "key": "10.0.0.5"},
        {"rule": "upload", "metric": "bytes", "window": 3600.0, "threshold": 2e9, "value": 1.7e9,
         "key": "firefox"},
        {"rule": "new", "metric": "new_program", "window": 60.0, "threshold": 0.0, "value": 0.0, "key": None},
    ],
}  # fmt: skip
"""What lies on the alerts' desk, as the control socket tells it."""


def rows() -> list[Batch]:
    """All of the town, connections twice: two seconds ago with half of their bytes, and now."""
    before = [
        row | {"last_ts": NOW - 2 * SECOND, "state": "active", "up_bytes": row["up_bytes"] // 2,
               "down_bytes": row["down_bytes"] // 2}
        for row in CONNS
    ]  # fmt: skip
    others = [batch(table, entries) for table, entries in OTHER.items()]
    return [batch("conn", before), *others, batch("conn", CONNS)]


def settled() -> Board:
    """A board with the whole town on it."""
    board = Board(LOCAL)
    for one in rows():
        board.take(one, NOW)
    board.settle(desk_of(DESK))
    return board


class TownFeed(Feed):
    """Gives the town once, then waits; its clock stands still."""

    endless = True

    def __init__(
        self,
        batches: Sequence[Any] | None = None,
        kind: str = "live",
        title: str = "eth0,wg0",
        desk: Desk | None = None,
    ) -> None:
        super().__init__("tidegate-town", title)
        self.kind = kind
        for one in rows() if batches is None else batches:
            self.inbox.put(one, NOW)
        if batches is None or desk:
            self.inbox.settle(desk or desk_of(DESK))
        if batches is None:
            self.inbox.carry(CARRIED, NOW)

    def clock(self) -> int:
        """Always the same."""
        return NOW

    def run(self) -> None:
        """Waits for the end."""
        self._over.wait()

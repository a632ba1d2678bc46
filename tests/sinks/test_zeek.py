"""Zeek's format, read back by its own header."""

import re
from typing import Any

import pytest

from log_rows import HOSTILE, conns, golden, rows
from tidegate.model.errors import UsageError
from tidegate.model.tables import all_tables, find_table
from tidegate.sinks.zeek import Zeek
from tidegate.sinks.zeek_fields import zeek_columns

OF_ZEEK = {
    "conn": "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes "
    "resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes "
    "resp_pkts resp_ip_bytes tunnel_parents ip_proto",
    "http": "ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host uri referrer "
    "version user_agent origin request_body_len response_body_len status_code status_msg "
    "info_code info_msg tags username password proxied orig_fuids orig_filenames "
    "orig_mime_types resp_fuids resp_filenames resp_mime_types",
    "dns": "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id rtt query qclass qclass_name "
    "qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected",
    "tls": "ts uid id.orig_h id.orig_p id.resp_h id.resp_p version cipher curve server_name resumed "
    "last_alert next_protocol established ssl_history cert_chain_fps client_cert_chain_fps "
    "sni_matches_cert",
}
"""The columns of Zeek's own logs, in its order (its scripts, `base/protocols`)."""

READ: dict[str, Any] = {
    "time": float,
    "interval": float,
    "double": float,
    "count": int,
    "int": int,
    "port": int,
    "bool": {"T": True, "F": False}.__getitem__,
}


def parse(text: bytes) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The header and the rows, as a reader that knows nothing but Zeek's rules sees them."""
    lines = text.decode().split("\n")
    assert lines.pop() == ""
    separator = unescape(lines[0].removeprefix("#separator "))
    header = {
        line.split(separator)[0]: line.partition(separator)[2] for line in lines if line.startswith("#")
    }
    names, types = header["#fields"].split(separator), header["#types"].split(separator)
    assert len(names) == len(set(names)) == len(types)
    found = []
    for line in lines:
        if not line.startswith("#"):
            cells = line.split(separator)
            assert len(cells) == len(names)
            found.append(
                {
                    name: value(cell, kind, header)
                    for name, cell, kind in zip(names, cells, types, strict=True)
                }
            )
    return header, found


def value(cell: str, kind: str, header: dict[str, str]) -> Any:
    if cell == header["#unset_field"]:
        return None
    if kind.startswith(("set[", "vector[")):
        element = kind.partition("[")[2].rstrip("]")
        empty = cell == header["#empty_field"]
        return (
            [] if empty else [value(part, element, header) for part in cell.split(header["#set_separator"])]
        )
    if kind in READ:
        return READ[kind](cell)
    assert kind in ("string", "enum", "addr"), kind
    return "" if cell == header["#empty_field"] else unescape(cell)


def unescape(cell: str) -> str:
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), cell.encode())
    return raw.decode()


def written(table: str, capture: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
    format = Zeek(table, clock=lambda: 0.0)
    return parse(format.head() + b"".join(map(format.lines, golden(capture, table))) + format.tail())


@pytest.mark.parametrize("table", OF_ZEEK)
def test_zeeks_own_columns_come_first(table: str) -> None:
    own = OF_ZEEK[table].split()
    assert [column.name for column in zeek_columns(table)][: len(own)] == own


@pytest.mark.parametrize("table", [table.name for table in all_tables()])
def test_every_column_of_ours_is_in_it(table: str) -> None:
    columns = zeek_columns(table)
    names = [column.name for column in columns]
    assert len(names) == len(set(names))
    assert {name for column in columns for name in column.columns} == {
        column.name for column in find_table(table).columns
    }


def test_the_header() -> None:
    assert Zeek("tls", ["ts", "sni"], clock=lambda: 0.0).head() == (
        b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssl\n"
        b"#open\t1970-01-01-00-00-00\n#fields\tts\tserver_name\n#types\ttime\tstring\n"
    )
    assert Zeek("tls", clock=lambda: 0.0).tail() == b"#close\t1970-01-01-00-00-00\n"


def test_connections() -> None:
    header, found = written("conn", "http4")
    assert header["#path"] == "conn"
    assert len(found) == 4
    first = found[0]
    assert first["ts"] == 1795170054.176026
    assert (first["id.orig_h"], first["id.orig_p"], first["id.resp_h"], first["id.resp_p"]) == (
        "192.0.2.1",
        43016,
        "192.0.2.2",
        80,
    )
    assert first["proto"] == "tcp"
    assert first["ip_proto"] == 6
    assert (first["orig_bytes"], first["resp_bytes"], first["orig_ip_bytes"]) == (78, 241, 398)
    assert (first["conn_state"], first["history"], first["missed_bytes"]) == ("SF", "ShADadFf", 0)
    assert first["tunnel_parents"] is None
    assert first["end_reason"] == "fin"


def test_a_tunnelled_connection_names_its_carrier() -> None:
    _, found = written("conn", "ipip")
    carried = [row for row in found if row["tunnel_parents"]]
    assert carried
    assert {row["tunnel_parents"][0] for row in carried} <= {row["uid"] for row in found}


def test_http() -> None:
    _, found = written("http", "http4")
    assert (found[0]["method"], found[0]["uri"], found[0]["status_code"]) == ("GET", "/small", 200)
    assert found[0]["resp_mime_types"] == ["text/plain"]


def test_dns() -> None:
    _, found = written("dns", "dns")
    first = found[0]
    assert (first["proto"], first["qclass"], first["qclass_name"]) == ("udp", 1, "C_INTERNET")
    assert (first["qtype"], first["qtype_name"], first["rcode"], first["rcode_name"]) == (
        1,
        "A",
        0,
        "NOERROR",
    )
    assert (first["answers"], first["TTLs"], first["AA"], first["TC"]) == (["192.0.2.80"], [0.0], True, False)


def test_tls() -> None:
    _, found = written("tls", "tls")
    assert {row["version"] for row in found} <= {"TLSv10", "TLSv11", "TLSv12", "TLSv13"}
    assert found[0]["server_name"] == "www.example.org"
    assert found[0]["established"] is True


def test_hostile_text_comes_back_as_it_was() -> None:
    format = Zeek("conn")
    _, found = parse(format.head() + format.lines(conns(len(HOSTILE), name=HOSTILE)))
    assert [row["name"] for row in found] == HOSTILE
    lines = format.lines(conns(len(HOSTILE), name=HOSTILE))
    assert lines.count(b"\n") == len(HOSTILE)
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]", lines)


def test_lists_keep_their_elements_apart() -> None:
    answers = [["a,b", "c\td"], [], ["-"], ["\x1b[31m"]]
    format = Zeek("dns", ["answers"])
    _, found = parse(format.head() + format.lines(rows("dns", 4, answers=answers)))
    assert [row["answers"] for row in found] == answers


def test_missing_and_empty_are_not_the_same() -> None:
    format = Zeek("conn", ["name"])
    assert format.lines(conns(3, name=["", None, "-"])) == b"(empty)\n-\n\\x2d\n"


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(UsageError, match='table conn has no column "nmae"'):
        Zeek("conn", ["nmae"])

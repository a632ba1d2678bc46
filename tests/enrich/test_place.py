"""Places: layouts, several databases at once, replacing them under way, and what has none."""

import logging
import shlex
from pathlib import Path
from typing import Any

import pytest

import mmdb
from made import made
from tidegate.enrich.mmdb import NOTHING, Database, Facts, facts
from tidegate.enrich.place import MOST_ADDRESSES, Places, default_databases, default_folders
from tidegate.model.batch import Batch
from tidegate.model.config import PlaceSettings
from tidegate.model.errors import UsageError

LAYOUTS: list[tuple[dict[str, Any], Facts]] = [
    (mmdb.city("DE", "Köln"), Facts("DE", "Köln".encode())),
    (mmdb.network(64500, "Example Net"), Facts(asn=64500, as_org=b"Example Net")),
    ({"country_code": "SE", "city": "Umeå", "state1": "x"}, Facts("SE", "Umeå".encode())),
    (
        {"country": "United States", "country_code": "US", "asn": "AS15169", "as_name": "G"},
        Facts("US", None, 15169, b"G"),
    ),
    ({"country": {"iso_code": "fr"}, "traits": mmdb.network(7, "T")}, Facts("FR", None, 7, b"T")),
    ({"city": {"names": {"ja": "東京"}}}, Facts(city="東京".encode())),
    ({"registered_country": {"iso_code": "US"}}, NOTHING),
]  # fmt: skip

NONSENSE: list[object] = [
    None, 7, "DE", [], {}, {"country": 7}, {"country": {"iso_code": "DEU"}},
    {"country": {"iso_code": "\x1b["}},
    {"country_code": ""}, {"city": {"names": []}}, {"city": {"names": {}}}, {"city": 9}, {"city": ""},
    {"autonomous_system_number": -1}, {"autonomous_system_number": 2**32}, {"autonomous_system_number": True},
    {"asn": "ASX"}, {"asn": "AS99999999999999999999"}, {"asn": 1.5}, {"traits": []},
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), LAYOUTS)
def test_every_layout_is_understood(record: dict[str, Any], expected: Facts, tmp_path: Path) -> None:
    assert facts(record) == expected
    file = mmdb.write(tmp_path / "x.mmdb", {"8.8.8.0/24": record})
    assert places(file).find("8.8.8.8") == expected


@pytest.mark.parametrize("record", NONSENSE)
def test_nonsense_is_nothing(record: object) -> None:
    assert facts(record) == NOTHING


def test_the_first_that_knows_a_fact_wins_and_none_contradicts_another(tmp_path: Path) -> None:
    first = mmdb.write(
        tmp_path / "1.mmdb", {"1.1.1.0/24": {"country_code": "AU"}, "9.9.9.9/32": mmdb.network(1, "One")}
    )
    second = mmdb.write(
        tmp_path / "2.mmdb",
        {
            "1.1.1.0/25": mmdb.city("NZ", "Auckland") | mmdb.network(13335, "Cloud"),
            "1.1.1.128/25": mmdb.city("AU", "Perth"),
            "9.9.9.9/32": mmdb.network(2, "Two") | {"country_code": "CH"},
        },
    )
    found = places(first, second)
    assert found.find("1.1.1.1") == Facts("AU", None, 13335, b"Cloud")
    assert found.find("1.1.1.200") == Facts("AU", b"Perth")
    assert found.find("9.9.9.9") == Facts("CH", None, 1, b"One")
    assert places(second, first).find("1.1.1.1") == Facts("NZ", b"Auckland", 13335, b"Cloud")


@pytest.mark.parametrize(
    "address",
    shlex.split(
        "10.1.2.3 172.16.0.1 192.168.1.1 169.254.1.1 100.64.0.1 127.0.0.1 0.0.0.0 224.0.0.251 233.252.0.1 "
        "255.255.255.255 192.0.2.1 :: ::1 fe80::1 fd00::1 ff02::fb ff0e::1 2001:db8::1"
    ),
)
def test_what_is_not_public_has_no_place(address: str, tmp_path: Path) -> None:
    everywhere = mmdb.write(
        tmp_path / "x.mmdb", {"0.0.0.0/0": mmdb.city("DE", "x"), "::/1": mmdb.city("DE", "x")}
    )
    found = places(everywhere)
    assert found.find(address) == NOTHING
    assert found.find("8.8.8.8").country == "DE"


def test_a_database_of_one_ip_version_knows_nothing_of_the_other(tmp_path: Path) -> None:
    four = mmdb.write(tmp_path / "4.mmdb", {"8.8.8.0/24": {"country_code": "US"}}, version=4)
    six = mmdb.write(tmp_path / "6.mmdb", {"2600::/16": {"country_code": "CA"}})
    found = places(four, six)
    assert [found.find(address).country for address in ("8.8.8.8", "2600::1")] == ["US", "CA"]


def test_rows_are_filled_and_foreign_text_is_escaped(tmp_path: Path) -> None:
    hostile = "\x1b]52;c;eA==\x07"
    file = mmdb.write(
        tmp_path / "x.mmdb",
        {"8.8.8.8/32": mmdb.city("US", hostile), "2600::1/128": mmdb.network(7018, "AT&T")},
    )
    stage = places(file)
    (batch,) = stage.process(conns(("10.0.0.1", "8.8.8.8"), ("2600::1", "10.0.0.1"), ("10.0.0.1", "9.9.9.9")))
    columns = batch.columns(["dst_country", "dst_city", "dst_asn", "src_asn", "src_as_org", "src_country"])
    assert columns[0] == ["US", None, None]
    assert columns[1][0] is not None
    assert not {"\x1b", "\x07"} & set(columns[1][0])
    assert columns[2:] == [[None] * 3, [None, 7018, None], [None, "AT&T", None], [None] * 3]


def test_events_of_the_relay_know_where_the_client_is(tmp_path: Path) -> None:
    file = mmdb.write(tmp_path / "x.mmdb", {"8.8.8.8/32": mmdb.city("US", "Reno")})
    rows = made("relay", {"client_ip": "8.8.8.8"}, {"client_ip": "10.0.0.1"}, {"client_ip": None})
    (batch,) = places(file).process(rows)
    assert batch.columns(["client_country", "client_city"]) == [["US", None, None], ["Reno", None, None]]


def test_other_tables_and_rows_without_places_pass_as_they_are(tmp_path: Path) -> None:
    stage = places(mmdb.write(tmp_path / "x.mmdb", {"8.8.8.8/32": mmdb.city("US", "x")}))
    for batch in (conns(("10.0.0.1", "10.0.0.2")), conns(), made("host", {"ip": "8.8.8.8"})):
        (same,) = stage.process(batch)
        assert same is batch


def test_the_memory_of_addresses_has_a_bound(tmp_path: Path) -> None:
    stage = places(mmdb.write(tmp_path / "x.mmdb", {"8.0.0.0/8": {"country_code": "US"}}))
    for number in range(MOST_ADDRESSES + 5000):
        stage.find(f"8.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert stage._find.cache_info().currsize == MOST_ADDRESSES


def test_a_replaced_file_is_taken_at_the_next_tick(tmp_path: Path) -> None:
    file = mmdb.write(tmp_path / "x.mmdb", {"8.8.8.8/32": {"country_code": "US"}})
    stage = places(file)
    assert stage.find("8.8.8.8").country == "US"
    mmdb.write(file, {"8.8.8.8/32": {"country_code": "CA"}})
    assert stage.find("8.8.8.8").country == "US"
    assert list(stage.tick(0)) == []
    assert stage.find("8.8.8.8").country == "CA"
    stage.close()


def test_a_file_that_is_overwritten_in_place_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Half of it, then nothing, then gone: the old one stays, each said once; the whole one is taken."""
    file = mmdb.write(tmp_path / "x.mmdb", {"8.8.8.0/24": {"country_code": "US"}})
    other = mmdb.write(tmp_path / "y.mmdb", {"8.8.8.0/24": {"country_code": "CA"}}).read_bytes()
    stage = places(file)
    for broken in (other[: len(other) // 2], b""):
        caplog.clear()
        file.write_bytes(broken)
        for _ in range(3):
            stage.tick(0)
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "is no MMDB file, or not all of one" in caplog.text
        assert "what was read of it before is kept" in caplog.text
        assert stage.find("8.8.8.8").country == stage.find("8.8.8.9").country == "US"
    caplog.clear()
    file.unlink()
    for _ in range(3):
        stage.tick(0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "no such file" in caplog.text
    file.write_bytes(other)
    stage.tick(0)
    assert stage.find("8.8.8.8").country == "CA"


@pytest.mark.parametrize("content", [None, b"", b"\xab\xcd\xefMaxMind.com", b"PK" * 5000, b"\0" * 200_000])
def test_a_file_that_cannot_be_used_is_one_line(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "pla\x1bces.mmdb"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError) as refusal:
        places(file)
    text = str(refusal.value)
    assert "\n" not in text
    assert "\x1b" not in text
    assert ("no such file" if content is None else "is no MMDB file") in text


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        places(tmp_path)


def test_files_that_nobody_named_do_not_keep_the_others_from_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.mmdb").write_bytes(b"no database")
    good = mmdb.write(tmp_path / "b.mmdb", {"8.8.8.8/32": {"country_code": "US"}}, "Some-Kind")
    stage = Places(PlaceSettings(), [tmp_path / "missing", tmp_path])
    assert "a.mmdb: is no MMDB file" in caplog.text
    assert [(database.path, database.kind) for database in stage.databases] == [(good, "Some-Kind")]
    assert stage.databases[0].built > 1_700_000_000
    mmdb.write(tmp_path / "a.mmdb", {"8.8.8.8/32": {"country_code": "CA"}})
    stage.tick(0)
    assert stage.find("8.8.8.8").country == "CA"


def test_a_file_that_comes_later_is_taken(tmp_path: Path) -> None:
    stage = Places(PlaceSettings(), [tmp_path / "places"])
    rows = conns(("10.0.0.1", "8.8.8.8"))
    assert list(stage.process(rows)) == [rows]
    (tmp_path / "places").mkdir()
    mmdb.write(tmp_path / "places" / "x.mmdb", {"8.8.8.8/32": {"country_code": "US"}})
    stage.tick(0)
    (batch,) = stage.process(rows)
    assert batch.columns(["dst_country"]) == [["US"]]


def test_where_databases_are_looked_for(tmp_path: Path) -> None:
    folders = default_folders({"XDG_DATA_HOME": str(tmp_path)})
    assert folders == [Path("/var/lib/tidegate/places"), tmp_path / "tidegate" / "places"]
    assert default_folders({})[1] == Path.home() / ".local/share/tidegate/places"
    for name in ("b.mmdb", "a.mmdb", "c.txt"):
        (tmp_path / name).touch()
    assert default_databases([tmp_path]) == [tmp_path / "a.mmdb", tmp_path / "b.mmdb"]


def test_no_copy_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    Database(mmdb.write(tmp_path / "x.mmdb", {"8.8.8.8/32": {"country_code": "US"}})).close()
    with pytest.raises(UsageError):
        (tmp_path / "y.mmdb").touch()
        Database(tmp_path / "y.mmdb")
    assert not list((tmp_path / "temporary").iterdir())


@pytest.fixture(scope="session")
def maxmind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = mmdb.maxmind(tmp_path_factory.mktemp("maxmind"))
    if found is None:
        pytest.skip(f"MaxMind's test data is missing: no {mmdb.RELEASE} to be had, nor MAXMIND_TEST_DATA set")
    return found


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("81.2.69.142", Facts("GB", b"London")),
        ("89.160.20.112", Facts("SE", "Linköping".encode(), 29518, b"Bredband2 AB")),
        ("1.128.0.1", Facts(None, None, 1221, b"Telstra Pty Ltd")),
        ("2001:218::1", Facts("JP")),
        ("192.168.1.1", NOTHING),
    ],
)
def test_maxminds_own_data(maxmind: Path, address: str, expected: Facts) -> None:
    assert (
        places(maxmind / "GeoIP2-City-Test.mmdb", maxmind / "GeoLite2-ASN-Test.mmdb").find(address)
        == expected
    )


def test_maxminds_broken_data_breaks_nothing(maxmind: Path) -> None:
    """Every file of theirs, made to break readers: refused in a line, or read as far as it goes."""
    opened = 0
    for path in sorted(maxmind.parent.rglob("*.mmdb")):
        try:
            database = Database(path)
        except UsageError as error:
            assert "\n" not in str(error)
            continue
        stage = places(path)
        for number in range(0, 256, 5):
            for address in (f"{number}.1.1.1", f"{number}.69.160.1", f"2{number:03x}:218::1"):
                assert isinstance(stage.find(address), Facts)
        opened += 1
        database.close()
    assert opened > 20


def places(*files: Path) -> Places:
    return Places(PlaceSettings(tuple(map(str, files))))


def conns(*ends: tuple[str, str]) -> Batch:
    """Connections between these addresses."""
    return made("conn", *({"src_ip": src, "dst_ip": dst} for src, dst in ends))

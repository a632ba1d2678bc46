"""Index templates: a data stream for each table, its fields by the table's schema.

    STREAM-conn, STREAM-http, …   our tables, in ECS or under our own names
    STREAM-autonapt               what AutoNapt wrote
    STREAM-eve                    what we or Suricata wrote as EVE

Each template says whose it is and which edition; one that somebody else made is left alone.
"""

import hashlib
import json
from typing import Any, Literal

from tidegate.model.tables import all_tables
from tidegate.sinks.elastic import fields

OWNER = "tidegate"

PRIORITY = 200
"""Above those that come with Elasticsearch (100)."""

FOREIGN = ("autonapt", "eve")
"""Streams that only `tidegate ship` fills."""

Object = dict[str, Any]


def names() -> list[str]:
    """What follows STREAM- in the names of data streams."""
    return [*(table.name for table in all_tables()), *FOREIGN]


def template(stream: str, table: str, format: Literal["ecs", "flat"]) -> Object:
    """The index template of STREAM-TABLE."""
    if table == "eve":
        mappings = _eve()
    elif table == "autonapt":
        mappings = {"dynamic": False, "properties": autonapt()}
    else:
        made = fields.ecs(table) if format == "ecs" else fields.flat(table)
        mappings = {"dynamic": False, "properties": made}
    whole: Object = {
        "index_patterns": [f"{stream}-{table}"],
        "data_stream": {},
        "priority": PRIORITY,
        "template": {
            "settings": {
                "index": {"codec": "best_compression", "mapping": {"total_fields": {"limit": 2000}}}
            },
            "mappings": mappings,
        },
    }
    return whole | {"_meta": {"managed_by": OWNER, "edition": _edition(whole)}}


def is_ours(found: Object) -> bool:
    """Whether a template on the server was put there by us."""
    meta = found.get("_meta")
    return isinstance(meta, dict) and meta.get("managed_by") == OWNER


def is_current(found: Object, wanted: Object) -> bool:
    """Whether it is of the edition that we would put there."""
    return bool(found.get("_meta") == wanted["_meta"])


def _edition(whole: Object) -> str:
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]


def autonapt() -> Object:
    """Fields of an AutoNapt event: ECS where it has them, and its own under `autonapt`."""
    end = [("ip", fields.IP), ("port", fields.LONG)]
    places = [
        ("geo.country_iso_code", fields.KEYWORD),
        ("geo.country_name", fields.KEYWORD),
        ("geo.city_name", fields.KEYWORD),
        ("geo.region_name", fields.KEYWORD),
        ("geo.postal_code", fields.KEYWORD),
        ("geo.location", {"type": "geo_point"}),
        ("as.number", fields.LONG),
        ("as.organization.name", fields.KEYWORD),
    ]
    return fields.nested(
        [
            ("@timestamp", fields.TIME),
            *(
                (f"{side}.{name}", kind)
                for side in ("source", "destination")
                for name, kind in (*end, *places)
            ),
            *((f"autonapt.{side}.{name}", kind) for side in ("client", "server") for name, kind in _ENDS),
            *(
                (f"event.{name}", fields.KEYWORD)
                for name in ("kind", "category", "action", "module", "dataset")
            ),
            ("ecs.version", fields.KEYWORD),
            ("network.transport", fields.KEYWORD),
            ("network.protocol", fields.KEYWORD),
            ("related.hash", fields.KEYWORD),
            ("autonapt.connection_id", fields.KEYWORD),
            ("autonapt.packet_size", fields.LONG),
            ("autonapt.packet", fields.KEYWORD),
            ("autonapt.sha1", fields.KEYWORD),
            ("autonapt.rest", fields.FOLDED),
        ]
    )


_ENDS = (
    ("remote.address", fields.KEYWORD),
    ("remote.port", fields.LONG),
    ("local.address", fields.KEYWORD),
    ("local.port", fields.LONG),
)


def _eve() -> Object:
    """EVE has more fields than anybody lists: text is text as a whole, numbers are numbers."""
    return {
        "date_detection": False,
        "dynamic_templates": [
            {"text": {"match_mapping_type": "string", "mapping": fields.KEYWORD}},
            {"number": {"match_mapping_type": "double", "mapping": {"type": "double"}}},
        ],
        "properties": {
            "@timestamp": fields.TIME,
            "timestamp": {
                "type": "date_nanos",
                "format": "strict_date_optional_time||yyyy-MM-dd'T'HH:mm:ss.SSSSSSZ",
            },
            "src_ip": fields.IP,
            "dest_ip": fields.IP,
            "src_port": fields.LONG,
            "dest_port": fields.LONG,
            "flow_id": fields.LONG,
            "pcap_cnt": fields.LONG,
        },
    }

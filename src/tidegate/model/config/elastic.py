"""Settings of Elasticsearch and OpenSearch: which server, which rows, and what waits while it is away."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from tidegate.model.config.option import DURATION, SIZE, option, required
from tidegate.model.errors import SettingError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_STREAM = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True)
class ElasticSettings:
    """One server, or the nodes of one cluster."""

    name: str = required("name of the server; each has its own")
    urls: tuple[str, ...] = required(
        "nodes of one cluster, http or https; the next one is asked if one fails"
    )
    stream: str = option("tidegate", "beginning of the data streams' names: STREAM-TABLE")
    format: Literal["ecs", "flat"] = option(
        "ecs", "ecs (fields of the Elastic Common Schema) or flat (our columns)"
    )
    tables: tuple[str, ...] = option((), "tables whose rows are sent; all but packet unless given")
    filter: str = option("", 'only rows that match, such as "prog:curl -net:10.0.0.0/8"')
    interim: bool = option(False, "rows of connections that are still open, too, not only their last one")
    user: str = option("", "user name")
    password: str = option("", '"${VARIABLE}": the environment variable that holds the password')
    password_file: str = option("", "file that holds the password, readable by nobody else")
    api_key: str = option("", '"${VARIABLE}": the environment variable that holds an API key')
    api_key_file: str = option("", "file that holds an API key, readable by nobody else")
    ca_file: str = option("", "PEM file of certificates to trust instead of the system's")
    template: bool = option(True, "put our index templates in place; never over those that are not ours")
    timeout: Annotated[float, DURATION] = option(30.0, "time for one request")
    compress: bool = option(True, "compress what is sent")
    bulk_size: Annotated[int, SIZE] = option(4_000_000, "bytes of rows in one request, before compression")
    bulk_wait: Annotated[float, DURATION] = option(1.0, "how long rows wait for others to be sent with")
    spool: str = option("", "directory of rows that wait; elastic/NAME in the store's unless given")
    spool_size: Annotated[int, SIZE] = option(1_000_000_000, "bytes of rows that wait, at most")
    full: Literal["oldest", "newest"] = option(
        "oldest", "which rows go when no more can wait; they are counted"
    )
    queue: int = option(50_000, "rows in memory before they are written to the spool, at most")

    def __post_init__(self) -> None:
        """Refuses what would send nothing, and names that are none."""
        if not _NAME.fullmatch(self.name):
            raise SettingError("letters, digits, dots, dashes and underscores, 64 at most", "name")
        if not _STREAM.fullmatch(self.stream):
            raise SettingError("small letters, digits, dots, dashes and underscores, 100 at most", "stream")
        if self.timeout <= 0:
            raise SettingError("a time above 0 is needed", "timeout")
        if self.bulk_wait < 0:
            raise SettingError("a time of 0 or more is needed", "bulk_wait")
        if self.queue < 1:
            raise SettingError("a row at least", "queue")
        if not 1000 <= self.bulk_size <= 64_000_000:
            raise SettingError("1K to 64M", "bulk_size")
        if self.spool_size < 1_000_000:
            raise SettingError("1M at least", "spool_size")

"""Servers of Elasticsearch and OpenSearch: whether they answer, and take our secrets."""

from collections.abc import Iterator
from dataclasses import replace

from tidegate.doctor.finding import Finding, broken, ok
from tidegate.model.config import Config, ElasticSettings
from tidegate.model.errors import UsageError
from tidegate.model.text import clip
from tidegate.sinks.elastic.server import Server, ServerError

PATIENCE = 3.0
"""Seconds for one question."""


def check_elastic(config: Config) -> Iterator[Finding]:
    """Whether each node of each server answers."""
    for settings in config.elastic:
        for url in settings.urls:
            yield _node(replace(settings, urls=(url,), timeout=min(settings.timeout, PATIENCE)))


def _node(settings: ElasticSettings) -> Finding:
    try:
        server = Server(settings)
    except UsageError as error:
        return broken("elastic", str(error), "tidegate config explain elastic")
    try:
        answer = server.request("GET", "/")
        if answer.status != 200:
            raise ServerError(answer.reason())
        version = answer.json()["version"]
        kind = "OpenSearch" if version.get("distribution") == "opensearch" else "Elasticsearch"
        return ok("elastic", f"{settings.name}: {server.name}, {kind} {clip(str(version['number']), 20)}")
    except ServerError as error:
        return broken("elastic", f"{settings.name}: {error}", "rows wait on disk meanwhile; docs/elastic.md")
    except (KeyError, TypeError, AttributeError):
        text = f"{settings.name}: {server.name} is neither Elasticsearch nor OpenSearch"
        return broken("elastic", text, "set its urls right")
    finally:
        server.close()

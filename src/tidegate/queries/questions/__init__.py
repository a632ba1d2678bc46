"""Every named question: one file each, and this one list."""

from difflib import get_close_matches

from tidegate.model.errors import UsageError
from tidegate.model.text import clip
from tidegate.queries.question import Question
from tidegate.queries.questions import (
    alert_rules,
    alerts,
    dns_failures,
    dns_queries,
    dns_servers,
    dns_slow,
    drops,
    failed_connections,
    gaps,
    http_hosts,
    http_methods,
    http_sections,
    http_slow,
    http_status,
    icmp_errors,
    ja4,
    losses,
    names,
    new_hosts,
    new_since,
    ping_sources,
    pings,
    places,
    programs,
    protocols,
    relay_payloads,
    relay_protocols,
    relay_refused,
    relay_services,
    relay_sources,
    requests,
    services,
    ssh_versions,
    states,
    talkers,
    tls_names,
    tls_old,
    tls_versions,
    traffic,
)

QUESTIONS: tuple[Question, ...] = (
    talkers.QUESTION,
    programs.QUESTION,
    names.QUESTION,
    new_hosts.QUESTION,
    new_since.QUESTION,
    places.QUESTION,
    services.QUESTION,
    protocols.QUESTION,
    states.QUESTION,
    failed_connections.QUESTION,
    losses.QUESTION,
    traffic.QUESTION,
    http_hosts.QUESTION,
    http_sections.QUESTION,
    http_methods.QUESTION,
    http_status.QUESTION,
    http_slow.QUESTION,
    requests.QUESTION,
    tls_names.QUESTION,
    tls_versions.QUESTION,
    tls_old.QUESTION,
    ja4.QUESTION,
    dns_queries.QUESTION,
    dns_failures.QUESTION,
    dns_slow.QUESTION,
    dns_servers.QUESTION,
    pings.QUESTION,
    ping_sources.QUESTION,
    icmp_errors.QUESTION,
    ssh_versions.QUESTION,
    alerts.QUESTION,
    alert_rules.QUESTION,
    relay_services.QUESTION,
    relay_refused.QUESTION,
    relay_sources.QUESTION,
    relay_protocols.QUESTION,
    relay_payloads.QUESTION,
    drops.QUESTION,
    gaps.QUESTION,
)
"""Every question, in the order in which they are listed. A new one is a file, its import, and a line here."""


def find_question(name: str) -> Question:
    """The question of that name; raises UsageError naming the one that is like it."""
    for question in QUESTIONS:
        if question.name == name:
            return question
    like = get_close_matches(name, [question.name for question in QUESTIONS], 1)
    meant = f"; did you mean {like[0]}?" if like else ";"
    raise UsageError(f'there is no question "{clip(name, 40)}"{meant} tidegate query --list shows all')

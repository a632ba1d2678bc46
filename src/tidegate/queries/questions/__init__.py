"""Every named question: one file each, and this one list."""

from tidegate.model.errors import UsageError
from tidegate.queries.question import Question
from tidegate.queries.questions import (
    dns_failures,
    dns_queries,
    dns_servers,
    dns_slow,
    failed_connections,
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
    pings,
    protocols,
    services,
    ssh_versions,
    states,
    talkers,
    tls_names,
    tls_old,
    tls_versions,
)

QUESTIONS: tuple[Question, ...] = (
    talkers.QUESTION,
    names.QUESTION,
    new_hosts.QUESTION,
    services.QUESTION,
    protocols.QUESTION,
    states.QUESTION,
    failed_connections.QUESTION,
    losses.QUESTION,
    http_hosts.QUESTION,
    http_sections.QUESTION,
    http_methods.QUESTION,
    http_status.QUESTION,
    http_slow.QUESTION,
    tls_names.QUESTION,
    tls_versions.QUESTION,
    tls_old.QUESTION,
    ja4.QUESTION,
    dns_queries.QUESTION,
    dns_failures.QUESTION,
    dns_slow.QUESTION,
    dns_servers.QUESTION,
    pings.QUESTION,
    icmp_errors.QUESTION,
    ssh_versions.QUESTION,
)
"""Every question, in the order in which they are listed. A new one is a file and a line here."""


def find_question(name: str) -> Question:
    """The question of that name; raises UsageError naming those there are."""
    for question in QUESTIONS:
        if question.name == name:
            return question
    known = ", ".join(question.name for question in QUESTIONS)
    raise UsageError(f'there is no question "{name}"; there are {known}')

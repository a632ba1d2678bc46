"""Questions and their answers: one file, one question. Each can be called by its name, as a function.

from tidegate.queries import http_hosts

http_hosts(limit=5)                    # over the store
http_hosts(capture="x.pcap", limit=5)  # over a capture
"""

from tidegate.queries import questions
from tidegate.queries.question import Question

talkers = questions.talkers.QUESTION
names = questions.names.QUESTION
new_hosts = questions.new_hosts.QUESTION
services = questions.services.QUESTION
protocols = questions.protocols.QUESTION
states = questions.states.QUESTION
failed_connections = questions.failed_connections.QUESTION
losses = questions.losses.QUESTION
http_hosts = questions.http_hosts.QUESTION
http_sections = questions.http_sections.QUESTION
http_methods = questions.http_methods.QUESTION
http_status = questions.http_status.QUESTION
http_slow = questions.http_slow.QUESTION
tls_names = questions.tls_names.QUESTION
tls_versions = questions.tls_versions.QUESTION
tls_old = questions.tls_old.QUESTION
ja4 = questions.ja4.QUESTION
dns_queries = questions.dns_queries.QUESTION
dns_failures = questions.dns_failures.QUESTION
dns_slow = questions.dns_slow.QUESTION
dns_servers = questions.dns_servers.QUESTION
pings = questions.pings.QUESTION
icmp_errors = questions.icmp_errors.QUESTION
ssh_versions = questions.ssh_versions.QUESTION

__all__ = [
    "Question",
    "dns_failures",
    "dns_queries",
    "dns_servers",
    "dns_slow",
    "failed_connections",
    "http_hosts",
    "http_methods",
    "http_sections",
    "http_slow",
    "http_status",
    "icmp_errors",
    "ja4",
    "losses",
    "names",
    "new_hosts",
    "pings",
    "protocols",
    "services",
    "ssh_versions",
    "states",
    "talkers",
    "tls_names",
    "tls_old",
    "tls_versions",
]

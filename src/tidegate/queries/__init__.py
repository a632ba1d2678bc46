"""Questions and their answers: one file, one question. Each can be called by its name, as a function.

    from tidegate.queries import http_hosts

    http_hosts(limit=5)                    # over the store
    http_hosts(capture="x.pcap", limit=5)  # over a capture
"""

from tidegate.queries.question import Question
from tidegate.queries.questions.dns_failures import QUESTION as dns_failures
from tidegate.queries.questions.dns_queries import QUESTION as dns_queries
from tidegate.queries.questions.dns_servers import QUESTION as dns_servers
from tidegate.queries.questions.dns_slow import QUESTION as dns_slow
from tidegate.queries.questions.failed_connections import QUESTION as failed_connections
from tidegate.queries.questions.http_hosts import QUESTION as http_hosts
from tidegate.queries.questions.http_methods import QUESTION as http_methods
from tidegate.queries.questions.http_sections import QUESTION as http_sections
from tidegate.queries.questions.http_slow import QUESTION as http_slow
from tidegate.queries.questions.http_status import QUESTION as http_status
from tidegate.queries.questions.icmp_errors import QUESTION as icmp_errors
from tidegate.queries.questions.ja4 import QUESTION as ja4
from tidegate.queries.questions.losses import QUESTION as losses
from tidegate.queries.questions.names import QUESTION as names
from tidegate.queries.questions.new_hosts import QUESTION as new_hosts
from tidegate.queries.questions.pings import QUESTION as pings
from tidegate.queries.questions.protocols import QUESTION as protocols
from tidegate.queries.questions.services import QUESTION as services
from tidegate.queries.questions.ssh_versions import QUESTION as ssh_versions
from tidegate.queries.questions.states import QUESTION as states
from tidegate.queries.questions.talkers import QUESTION as talkers
from tidegate.queries.questions.tls_names import QUESTION as tls_names
from tidegate.queries.questions.tls_old import QUESTION as tls_old
from tidegate.queries.questions.tls_versions import QUESTION as tls_versions

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

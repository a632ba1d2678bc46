"""What can be measured: one small class a metric, and this one list."""

from tidegate.alerts.metrics.distinct import DistinctHosts, DistinctPorts
from tidegate.alerts.metrics.drops import KernelDrops
from tidegate.alerts.metrics.http import HttpMessages, HttpReplies, HttpRequests
from tidegate.alerts.metrics.metric import Event, Metric
from tidegate.alerts.metrics.novelty import NewPlace, NewProgram, Novelty
from tidegate.alerts.metrics.traffic import Bytes, Connections, FailedConnections, Packets, Quota

__all__ = ["KINDS", "Event", "Metric", "Novelty"]

KINDS: dict[str, type[Metric]] = {
    "http_messages": HttpMessages,
    "http_requests": HttpRequests,
    "http_replies": HttpReplies,
    "packets": Packets,
    "bytes": Bytes,
    "connections": Connections,
    "failed_connections": FailedConnections,
    "distinct_ports": DistinctPorts,
    "distinct_hosts": DistinctHosts,
    "new_program": NewProgram,
    "new_place": NewPlace,
    "kernel_drops": KernelDrops,
    "quota": Quota,
}
"""Every metric by the name rules call it."""

"""The relay: policy over the core's data plane, and a library for services of one's own (docs/relay.md)."""

from tidegate.relay.connection import Connection, Event
from tidegate.relay.forward import Forwarder, forward
from tidegate.relay.library import ClosedError, Service, Services, Terms

__all__ = ["ClosedError", "Connection", "Event", "Forwarder", "Service", "Services", "Terms", "forward"]

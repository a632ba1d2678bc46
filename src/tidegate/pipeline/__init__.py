"""From a source through to the sinks, until it is enough."""

"""The relay: policy over the core's data plane, and the library."""

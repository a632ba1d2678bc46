//! Programs and sockets on made-up events, and on the real kernel.

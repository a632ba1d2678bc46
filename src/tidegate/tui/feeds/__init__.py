"""What feeds the board: a running capture, a store, or a capture file. Each has a thread of its own."""

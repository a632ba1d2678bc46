"""Old logs to a server: lines, what they are, and how far an earlier run came."""

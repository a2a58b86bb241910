"""The gateway connection, which skips what it can't read and reconnects after interruptions."""

"""The gateway connection, which skips unreadable events and reconnects after interruptions."""

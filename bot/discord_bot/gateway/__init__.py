"""Stays connected to Discord's gateway, skips unreadable events, and reconnects when needed."""

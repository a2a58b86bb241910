"""Reasons and limits for waiting jobs, and the watcher of the machine's clock."""

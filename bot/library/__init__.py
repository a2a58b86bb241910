"""Finding, keeping and deleting finished videos."""

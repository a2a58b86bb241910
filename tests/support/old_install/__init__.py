"""An installation made by an older version."""

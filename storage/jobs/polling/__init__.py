"""The table's side of polling many jobs with one request."""

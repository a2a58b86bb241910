"""Jobs that are requested over HTTP or on the command line."""

"""Jobs that are ordered over HTTP or from the command line."""

"""Jobs requested over HTTP or on the command line."""

"""The jobs that are ordered over HTTP or on the command line."""

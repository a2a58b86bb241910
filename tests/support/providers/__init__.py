"""Stand-ins of the providers' APIs."""

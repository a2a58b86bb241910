"""Opens the parts of the process, runs them and stops them."""

"""Opens, runs and stops the parts of the process."""

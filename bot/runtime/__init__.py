"""Opens, runs and stops the components of the running bot."""

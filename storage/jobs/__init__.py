"""The tables of jobs, and what is read from them."""

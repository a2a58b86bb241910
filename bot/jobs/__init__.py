"""The queue of jobs, and the steps that each job passes through."""

"""The life of a job, from the order to its last step."""

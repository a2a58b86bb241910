"""Lets several processes share the jobs of one database."""

"""Asking the provider how remote jobs are: each by itself, or many by a page of its list."""

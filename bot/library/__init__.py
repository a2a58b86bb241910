"""Finds, keeps and deletes finished videos."""

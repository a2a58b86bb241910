"""Publishes changes to jobs, and stores those that concern cards and webhooks."""

"""Draws the chart of a month's spending, in a child process."""

"""Checks orders against the budgets, and assigns their costs to days and people."""

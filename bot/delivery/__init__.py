"""How a job looks in Discord, and how its video gets there."""

"""Why and how long jobs wait, and the clock that their waits follow."""

"""The reasons for which jobs wait, the lengths of their pauses, and the clock that these follow."""

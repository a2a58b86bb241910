"""Makes jobs wait, limits their waits, and corrects the waits if the clock is changed."""

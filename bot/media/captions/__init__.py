"""Makes captions of narrations whose words are known."""

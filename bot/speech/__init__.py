"""Speech synthesis for narrations."""

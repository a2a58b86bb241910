"""Shows one `/video` without an account anywhere."""

"""The demo: one `/video` without an account anywhere."""

"""The checks that the command `doctor` makes."""

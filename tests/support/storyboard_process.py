"""Runs the storyboard command as a separate process, and prints its address to stderr."""

from __future__ import annotations

import sys

from bot.__main__ import main

if __name__ == "__main__":
    sys.stdout = sys.stderr
    sys.exit(main(["storyboard", "--port", "0"]))

"""The renderer as a process of its own; says its address on stderr, where a test listens."""

from __future__ import annotations

import sys

from bot.__main__ import main

if __name__ == "__main__":
    sys.stdout = sys.stderr
    sys.exit(main(["storyboard", "--port", "0"]))

"""Runs the steps, each with a bucket of its own; `make proof-scale` installs what they need."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.proofs.scale import adapter_steps, bot_steps
from tests.proofs.scale.bucket import open_bucket
from tests.support.browser.tools import MissingError, provide_chromium

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.proofs.scale.bucket import Bucket

    Step = tuple[str, Callable[[Bucket, Path], Awaitable[None]]]

_STEPS: tuple[Step, ...] = (
    ("files are stored, read, linked and deleted", adapter_steps.test_files),
    ("what is missing is told from what is wrong", adapter_steps.test_refusals),
    ("doctor tries out the bucket", adapter_steps.test_doctor),
    ("the bot keeps, shows and deletes videos in the bucket", bot_steps.test_bot),
)


def main() -> int:
    """Run each step, and print what it has shown."""
    try:
        provide_chromium()
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for name in [name for name in os.environ if name.startswith(("AWS_", "STORE_"))]:
        del os.environ[name]
    for name, step in _STEPS:
        with open_bucket() as bucket, tempfile.TemporaryDirectory() as folder:
            asyncio.run(step(bucket, Path(folder)))
        sys.stdout.write(f"  ok  {name}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

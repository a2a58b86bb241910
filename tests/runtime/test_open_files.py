from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, tuple(map(int, sys.argv[1:])))
from bot.commands.checks.open_files import examine_open_files
finding = examine_open_files()
print(finding.ok, finding.found, "docker" in finding.advice)
"""


@pytest.mark.parametrize(
    ("soft", "hard", "shown"),
    [
        (256, 4096, "True limit: 4,096 False"),
        (256, 16384, "True limit: 8,192 False"),
        (9000, 9000, "True limit: 9,000 False"),
        (256, 512, "False limit: 512 True"),
    ],
)
def test_the_limit_on_open_files_is_raised_and_shown(soft: int, hard: int, shown: str) -> None:
    command = [sys.executable, "-c", SHOW, str(soft), str(hard)]
    ended = subprocess.run(  # noqa: S603 - constant arguments
        command, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == shown

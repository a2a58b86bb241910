from __future__ import annotations

import re
from pathlib import Path

from tests.support.providers.contract import ENTRIES


def test_each_exception_of_a_backend_names_a_test_and_a_reason() -> None:
    modules = Path(__file__).parent.glob("test_*.py")
    tests = {
        test
        for module in modules
        for test in re.findall(r"async def test_(\w+)", module.read_text(encoding="utf-8"))
    }
    for entry in ENTRIES:
        for quirk, reason in entry.lacks.items():
            assert quirk in tests
            assert len(reason) > 20, quirk

"""The table of `make peers`, with peers that fail or can't be installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.proofs.peers import installing
from tests.proofs.peers.findings import Findings
from tests.proofs.peers.processes import running
from tests.support.wire import free_port

if TYPE_CHECKING:
    from pathlib import Path


async def test_an_error_in_a_step_is_a_failure_and_the_next_step_still_runs() -> None:
    findings = Findings()
    async with findings.step("a peer", "asked"):
        raise ValueError("an | answer\nof two lines")
    async with findings.step("a peer", "asked again"):
        pass
    assert findings.failures == 1
    assert findings.table().splitlines()[2:] == [
        "| a peer | asked | FAILED: ValueError an / answer of two lines |",
        "| a peer | asked again | ok |",
    ]


async def test_a_peer_that_can_not_be_installed_is_skipped_with_the_reason() -> None:
    findings = Findings()
    async with findings.peer("a peer"):
        installing.program("no-program-of-this-name")
    assert findings.failures == 0
    (row,) = findings.rows
    assert row.outcome == "SKIPPED: there is no no-program-of-this-name on this machine"


async def test_a_peer_that_exits_at_once_is_a_failure_with_its_output(tmp_path: Path) -> None:
    findings = Findings()
    async with (
        findings.peer("a peer"),
        running(
            sys.executable,
            "-c",
            "print('no such port'); raise SystemExit(3)",
            health=f"http://127.0.0.1:{free_port()}/",
            log=tmp_path / "peer.log",
            variables={},
        ),
    ):
        pytest.fail("it never answered")
    assert findings.failures == 1
    assert findings.rows[0].outcome.endswith("it ended with code 3: no such port")


def test_an_install_that_fails_says_why() -> None:
    with pytest.raises(installing.CannotInstallError, match=r"^ERROR: no such package$"):
        installing.run(
            sys.executable, "-c", "raise SystemExit('first\\nERROR: no such package\\n')"
        )

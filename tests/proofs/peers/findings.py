"""The steps that were tested with each peer, and their outcomes."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proofs.peers.installing import CannotInstallError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_STEP_WITHIN = 60.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One row of the table."""

    peer: str
    done: str
    outcome: str


@dataclass(kw_only=True)
class Findings:
    """Collects the rows of the table; a failed step does not stop the next one."""

    rows: list[Finding] = field(default_factory=list[Finding])
    failures: int = 0

    @asynccontextmanager
    async def step(self, peer: str, done: str) -> AsyncGenerator[None]:
        """Run one step: an error or a timeout is recorded as its failure."""
        try:
            async with asyncio.timeout(_STEP_WITHIN):
                yield
        except Exception as error:  # noqa: BLE001 - every error is a row of the table
            traceback.print_exc()
            self.failures += 1
            self.record(peer, done, f"FAILED: {type(error).__name__} {error}".strip())
        else:
            self.record(peer, done, "ok")

    @asynccontextmanager
    async def peer(self, peer: str) -> AsyncGenerator[None]:
        """Record the errors outside the steps, such as a peer that can't be started."""
        try:
            yield
        except CannotInstallError as error:
            self.record(peer, "install", f"SKIPPED: {error}")
        except Exception as error:  # noqa: BLE001 - same
            traceback.print_exc()
            self.failures += 1
            self.record(peer, "start", f"FAILED: {type(error).__name__} {error}")

    def record(self, peer: str, done: str, outcome: str) -> None:
        """Add a row."""
        line = " ".join(outcome.split())[:200].replace("|", "/")
        self.rows.append(Finding(peer=peer, done=done, outcome=line))

    def table(self) -> str:
        """Format the rows as a Markdown table."""
        rows = [f"| {row.peer} | {row.done} | {row.outcome} |" for row in self.rows]
        return "\n".join(["| Peer | What was done | Outcome |", "| --- | --- | --- |", *rows])

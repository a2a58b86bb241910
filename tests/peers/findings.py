"""What was done with a peer, and what came of it."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.peers.installing import CannotInstallError

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
    """The rows, as they come in; whoever notes a failure goes on with the next step."""

    rows: list[Finding] = field(default_factory=list[Finding])
    failures: int = 0

    @asynccontextmanager
    async def step(self, peer: str, done: str) -> AsyncGenerator[None]:
        """Do one thing with a peer: what it raises, or a time-out, is its failure."""
        try:
            async with asyncio.timeout(_STEP_WITHIN):
                yield
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes into the table
            traceback.print_exc()
            self.failures += 1
            self.note(peer, done, f"FAILED: {type(error).__name__} {error}".strip())
        else:
            self.note(peer, done, "ok")

    @asynccontextmanager
    async def whole(self, peer: str) -> AsyncGenerator[None]:
        """Hold what goes wrong between the steps, such as a peer that doesn't start."""
        try:
            yield
        except CannotInstallError as error:
            self.note(peer, "install", f"SKIPPED: {error}")
        except Exception as error:  # noqa: BLE001 - same
            traceback.print_exc()
            self.failures += 1
            self.note(peer, "start", f"FAILED: {type(error).__name__} {error}")

    def note(self, peer: str, done: str, outcome: str) -> None:
        """Add a row."""
        line = " ".join(outcome.split())[:200].replace("|", "/")
        self.rows.append(Finding(peer=peer, done=done, outcome=line))

    def table(self) -> str:
        """Write all rows."""
        rows = [f"| {row.peer} | {row.done} | {row.outcome} |" for row in self.rows]
        return "\n".join(["| Peer | What was done | Outcome |", "| --- | --- | --- |", *rows])

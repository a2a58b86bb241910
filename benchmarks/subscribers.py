"""A socket of the API that follows jobs, and notes what it is told."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import aiohttp

_ENDS = frozenset({"completed", "failed"})


class Follower:
    """Follows jobs; `ends` has the final state of each that it heard of, and the moment."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, jobs: Sequence[str]) -> None:
        self._socket = socket
        self._jobs = jobs
        self._known: set[str] = set()
        self._all_known, self._all_ended = asyncio.Event(), asyncio.Event()
        self.ends: dict[str, tuple[str, float]] = {}
        self.late: list[str] = []  # told of after their end

    @property
    def lost(self) -> bool:
        """Whether the socket was closed from the other side."""
        return self._socket.closed

    async def subscribe(self) -> None:
        """Follow all, and wait until each has told its present state."""
        for job_id in self._jobs:
            await self._socket.send_json({"action": "subscribe", "jobId": job_id})
        await self._all_known.wait()

    async def ended(self) -> None:
        """Wait until all have ended."""
        await self._all_ended.wait()

    async def listen(self) -> None:
        """Note what comes, until the socket is closed."""
        async for message in self._socket:
            self._note(json.loads(message.data))

    def _note(self, said: dict[str, str]) -> None:
        if said["type"] != "progress":
            raise RuntimeError(f"a follower was told {said}")
        job_id = said["jobId"]
        self._known.add(job_id)
        if job_id in self.ends:
            self.late.append(job_id)
        elif said["status"] in _ENDS:
            self.ends[job_id] = said["status"], time.perf_counter()
        if len(self._known) == len(self._jobs):
            self._all_known.set()
        if len(self.ends) == len(self._jobs):
            self._all_ended.set()


@asynccontextmanager
async def follow(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str], jobs: Sequence[str]
) -> AsyncGenerator[Follower]:
    """Open a socket that is read all the time."""
    async with http.ws_connect(f"{url}/ws", headers=headers) as socket:
        follower = Follower(socket, jobs)
        listening = asyncio.create_task(follower.listen(), name="follower")
        try:
            yield follower
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

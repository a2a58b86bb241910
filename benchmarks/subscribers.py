"""A WebSocket of the API that subscribes to jobs and records the messages about them."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import aiohttp

_FINAL = frozenset({"completed", "failed"})


class Subscriber:
    """Subscribes to jobs over one socket.

    `final_states`: each job's final status and the time of its arrival. `late_messages`: the id of
    the job for each message that arrived after the job's final state.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, jobs: Sequence[str]) -> None:
        self._socket = socket
        self._jobs = jobs
        self._known: set[str] = set()
        self._all_known, self._all_final = asyncio.Event(), asyncio.Event()
        self.final_states: dict[str, tuple[str, float]] = {}
        self.late_messages: list[str] = []

    @property
    def is_closed(self) -> bool:
        """Tell whether the server has closed the socket."""
        return self._socket.closed

    async def subscribe(self) -> None:
        """Subscribe to all jobs, and wait for the current state of each."""
        for job_id in self._jobs:
            await self._socket.send_json({"action": "subscribe", "jobId": job_id})
        await self._all_known.wait()

    async def wait_for_final_states(self) -> None:
        """Wait until the final state of every job has arrived."""
        await self._all_final.wait()

    async def receive(self) -> None:
        """Record messages until the socket is closed."""
        async for message in self._socket:
            self._record(json.loads(message.data))

    def _record(self, message: dict[str, str]) -> None:
        if message["type"] != "progress":
            raise RuntimeError(f"a subscriber received {message}")
        job_id = message["jobId"]
        self._known.add(job_id)
        if job_id in self.final_states:
            self.late_messages.append(job_id)
        elif message["status"] in _FINAL:
            self.final_states[job_id] = message["status"], time.perf_counter()
        if len(self._known) == len(self._jobs):
            self._all_known.set()
        if len(self.final_states) == len(self._jobs):
            self._all_final.set()


@asynccontextmanager
async def open_subscriber(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str], jobs: Sequence[str]
) -> AsyncGenerator[Subscriber]:
    """Open a subscriber, and read its socket until the end of the block."""
    async with http.ws_connect(f"{url}/ws", headers=headers) as socket:
        subscriber = Subscriber(socket, jobs)
        reader = asyncio.create_task(subscriber.receive(), name="subscriber")
        try:
            yield subscriber
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

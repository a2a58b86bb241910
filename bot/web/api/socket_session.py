"""One open WebSocket, with the jobs that the client follows on it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any, cast

from aiohttp import WSCloseCode, WSMsgType

from bot.api_clients.status import PublicJob, PublicStatus, public_job
from bot.web.http.error_response import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from bot.api_clients.client_jobs import ClientJobs
    from bot.events import JobFeed, ListChange
    from bot.model import Job
    from bot.texts import Texts

MAX_MESSAGE_BYTES = 4096
_MAX_FOLLOWED = 50
_QUEUE_SIZE = 200
_SIGN_IN_SECONDS = 10.0
_SEND_SECONDS = 20.0
_PAUSE_SECONDS = 1.0
_FINAL_STATUSES = frozenset({PublicStatus.COMPLETED, PublicStatus.FAILED})
_JOB_ID = re.compile(r"[0-9a-f]{32}")


class SocketSession:
    """Reports changes to the jobs that a client follows on one WebSocket.

    If too many messages are waiting to be sent, the socket is closed.

    `count_message` is called for each message from the client. It raises ApiError if there were too
    many.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        *,
        clients: ClientJobs,
        feed: JobFeed,
        texts: Texts,
        locale: str,
        count_message: Callable[[str], None],
    ) -> None:
        self._socket = socket
        self._clients = clients
        self._feed = feed
        self._texts = texts
        self._locale = locale
        self._count_message = count_message
        self._following: dict[str, Callable[[], None]] = {}
        self._unfollow_list: Callable[[], None] | None = None
        self._last_sent: dict[str, PublicJob] = {}
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_QUEUE_SIZE)
        self._too_slow = asyncio.Event()
        self._client = ""

    async def first_token(self) -> str:
        """Return the token in the client's first message.

        Returns "" if the message contains no token or does not arrive in time.
        """
        try:
            async with asyncio.timeout(_SIGN_IN_SECONDS):
                message = await self._socket.receive()
        except TimeoutError:
            return ""
        order = _parsed(message.data) if message.type is WSMsgType.TEXT else {}
        token = order.get("token") if order.get("action") == "authenticate" else ""
        return token if isinstance(token, str) else ""

    async def serve(self, client: str) -> None:
        """Serve the client until the socket is closed. If a task fails, raise its error."""
        self._client = client
        tasks = {
            asyncio.create_task(self._listen(), name="ws.listen"),
            asyncio.create_task(self._send(), name="ws.send"),
            asyncio.create_task(self._too_slow.wait(), name="ws.too_slow"),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for unsubscribe in (*self._following.values(), self._unfollow_list):
                if unsubscribe:
                    unsubscribe()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            failures = [task.exception() for task in tasks if not task.cancelled()]
        for failure in filter(None, failures):
            raise failure
        if not self._socket.closed:
            await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too slow")

    async def _listen(self) -> None:
        async for message in self._socket:
            # Reading messages that have already arrived never suspends, so let other tasks run.
            await asyncio.sleep(0)
            order = _parsed(message.data) if message.type is WSMsgType.TEXT else {}
            job_id = order.get("jobId")
            valid_id = job_id if isinstance(job_id, str) and _JOB_ID.fullmatch(job_id) else None
            try:
                self._count_message(self._client)
            except ApiError as error:
                self._refuse(error.key, valid_id, **error.fields)
                # No messages are read during the pause. This slows down a client that sends too
                # many.
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if order.get("action") == "subscribe_list" and "jobId" not in order:
                self._follow_list()
            elif valid_id is None:
                self._refuse("api.unknown_job" if "jobId" in order else "api.bad_message")
            elif order.get("action") == "subscribe":
                await self._follow(valid_id)
            elif order.get("action") == "unsubscribe":
                self._unfollow(valid_id)
            else:
                self._refuse("api.bad_message", valid_id)

    def _follow_list(self) -> None:
        if self._unfollow_list is None:
            self._unfollow_list = self._feed.follow_list(self._client, self._report_list)

    def _report_list(self, change: ListChange, job_id: str) -> None:
        self._enqueue({"type": change, "jobId": job_id})

    async def _follow(self, job_id: str) -> None:
        self._unfollow(job_id)
        if len(self._following) >= _MAX_FOLLOWED:
            self._refuse("api.too_many_jobs", job_id)
            return
        # Subscribe first, and then read the job. Otherwise, a change between the two would be
        # missed.
        self._following[job_id] = self._feed.follow(job_id, self._report)
        job = await self._clients.get(self._client, job_id)
        if job is None:
            self._unfollow(job_id)
            self._refuse("api.unknown_job", job_id)
            return
        await self._clients.circuit.refresh()
        if job_id not in self._last_sent:
            # If the job has changed since it was read, a newer status is already waiting to be
            # sent.
            self._report(job)

    def _report(self, job: Job) -> None:
        """Queue a job's current status for sending, if it is newer than the last status queued."""
        if job.id not in self._following or job.client is None or job.client.name != self._client:
            return
        report = public_job(job, self._texts, self._locale, trouble=self._clients.circuit.trouble)
        if not report.follows(self._last_sent.get(job.id)):
            return
        self._last_sent[job.id] = report
        self._enqueue({"type": "progress", "jobId": job.id, **report.as_json()})
        if report.status in _FINAL_STATUSES:
            self._unfollow(job.id)

    def _unfollow(self, job_id: str) -> None:
        self._last_sent.pop(job_id, None)
        if unsubscribe := self._following.pop(job_id, None):
            unsubscribe()

    def _refuse(self, key: str, job_id: str | None = None, **fields: object) -> None:
        error = {"key": key, "message": self._texts(key, self._locale, **fields)}
        about = {} if job_id is None else {"jobId": job_id}
        self._enqueue({"type": "error", **about, "error": error})

    def _enqueue(self, message: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._too_slow.set()

    async def _send(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    await self._socket.send_json(message)
            except (TimeoutError, ConnectionError):
                return


def _parsed(text: str) -> dict[str, Any]:
    try:
        message: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", message) if isinstance(message, dict) else {}

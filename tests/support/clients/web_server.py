"""The embedded server with its webhooks and links, without the rest of the bot."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from bot.backends.openai_videos import OpenAIVideos
from bot.links import Links
from bot.web.http.server import WebServer, bind
from bot.web.pages.file_links import FileLinks
from bot.web.webhooks import WEBHOOK_PATH, Webhooks
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.webhooks import WEBHOOK_SECRET, signed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tests.support.fakes.bench import Bench


WEEK = 7 * 24 * 60 * 60.0


OTHER_SECRET = "whsec_b3RoZXIgc2VjcmV0IG9mIHRoZSB0ZXN0cw=="


class Site:
    """The real server on a free port, and an HTTP session that sends it requests."""

    def __init__(self, bench: Bench, port: int, client: aiohttp.ClientSession) -> None:
        self.bench = bench
        self.port = port
        self.client = client
        self.ready = True
        self.links = Links(
            b"key", public_url=f"http://127.0.0.1:{port}", lifetime=WEEK, clock=bench.clock
        )

    async def notify(
        self, ref: str, *, webhook_id: str = "wh_1", kind: str = "video.completed"
    ) -> aiohttp.ClientResponse:
        """Send a webhook as a provider does."""
        body = json.dumps({"id": webhook_id, "type": kind, "data": {"id": ref}}).encode()
        return await self.post(body, signed(body, now=self.bench.clock(), webhook_id=webhook_id))

    async def post(self, body: bytes, headers: dict[str, str]) -> aiohttp.ClientResponse:
        async with self.client.post(WEBHOOK_PATH, data=body, headers=headers) as response:
            await response.read()
        return response

    async def get(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self.client.request(method, path, headers=headers) as response:
            return response, await response.read()

    async def raw(self, request: bytes) -> bytes:
        """Send raw bytes, and return the status line."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(request)
            status = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return status

    async def inbox(self) -> list[tuple[str, str]]:
        rows = await self.bench.database.rows("SELECT * FROM inbox", {})
        return [(row["webhook_id"], row["remote_id"]) for row in rows]


@asynccontextmanager
async def serve(
    bench: Bench, more: Sequence[web.RouteDef] = (), **options: Any
) -> AsyncGenerator[Site]:
    listener = bind("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    backend = OpenAIVideos(
        name="fake",
        base_url="http://127.0.0.1:9/v1",
        api_key=None,
        webhook_secrets=(OTHER_SECRET, WEBHOOK_SECRET),
    )
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        site = Site(bench, port, client)
        server = WebServer(
            [
                *Webhooks(bench.webhooks, backend, count=lambda _: None, clock=bench.clock).routes,
                *FileLinks(site.links, bench.artifacts, bench.workspace).routes,
                *more,
            ],
            listener,
            is_ready=lambda: site.ready,
            accepts_compressed=(WEBHOOK_PATH,),
            **options,
        )
        await server.start()
        try:
            yield site
        finally:
            await server.close()
            await backend.close()

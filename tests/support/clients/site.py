"""Serves the API on a real socket as the app does, with the jobs of a test bench."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.api_clients.client_jobs import ClientJobs
from bot.events import JobFeed
from bot.links import Links
from bot.media.files.shared_work import SharedWork
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.poster_cache import PosterCache
from bot.presets import Presets
from bot.texts import Texts
from bot.web.api.authentication import Authentication
from bot.web.http.caller_address import Proxies
from bot.web.http.error_response import ErrorResponses
from bot.web.http.server import WebServer, bind
from bot.web.pages.share import SharePage
from bot.web.site import Site
from storage.jobs.client_jobs import ClientJobStore
from storage.sessions import SessionStore
from tests.support.clients import described
from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from bot.speech.narrator import Narrator
    from tests.support.fakes.bench import Bench

TOKEN = "a-token-of-sixteen-or-more"
OTHER_TOKEN = "a-token-of-another-client"
MAX_AUDIO = 128 * 1024
LINK_SECONDS = 7 * 24 * 60 * 60.0
FORM = {"scriptOrQuestion": "a cat on a roof"}


@dataclass
class Caller:
    """An API client and the server that it talks to."""

    bench: Bench
    clients: ClientJobs
    site: Site
    http: aiohttp.ClientSession
    url: str
    links: Links
    token: str | None = TOKEN

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> tuple[int, Any]:
        """Send a request, and return the status and the JSON of its answer."""
        token = self.token if token == "" else token
        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        async with self.http.request(method, path, headers=sent, **options) as response:
            answer = await response.json()
            described.check(method, path, response.status, answer)
            return response.status, answer

    async def order(self, body: Mapping[str, str] = FORM, **options: Any) -> str:
        """Order a video, and return its job's ID."""
        status, answer = await self.ask("POST", "/api/generate", json=dict(body), **options)
        assert status == 200, answer
        return answer["jobId"]

    async def made(self) -> str:
        """Order a video, run its job to the end, and return the job's ID."""
        job_id = await self.order()
        await self.finish(job_id)
        return job_id

    async def finish(self, job_id: str) -> None:
        """Run a job to its end."""
        while (await self.bench.now(job_id)).next_at is not None:
            self.bench.backend.finish()
            await self.bench.step(job_id)


@asynccontextmanager
async def open_site(
    bench: Bench,
    *,
    tokens: Mapping[str, str] | None = None,
    public_url: str = "",
    narrator: Narrator | None = None,
    service: str = "",
    min_free_bytes: int = 0,
) -> AsyncGenerator[Caller]:
    """Serve the API for two clients, "web" and "other"."""
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    feed = JobFeed()
    bench.bus.subscribe(feed.on_job_changed)
    clients = ClientJobs(
        voice_permissions=bench.voice_permissions,
        jobs=bench.jobs,
        store=ClientJobStore(bench.database),
        artifacts=bench.artifacts,
        workspace=bench.workspace,
        shared=SharedWork(bench.workspace),
        feed=feed,
        presets=Presets(model="sora-2", seconds=8, size="1280x720", max_audio_bytes=MAX_AUDIO),
        circuit=bench.circuit,
        refusals=bench.refusals,
        min_free_bytes=min_free_bytes,
        service=service,
        clock=bench.clock,
    )
    links = Links(b"key", public_url=public_url, lifetime=LINK_SECONDS, clock=bench.clock)
    poster_cache = PosterCache(Ffmpeg(clips.binary(), slots=1), bench.workspace)
    shares = SharePage(
        links=links,
        jobs=bench.jobs,
        artifacts=bench.artifacts,
        workspace=bench.workspace,
        poster_cache=poster_cache,
        texts=Texts.load(),
    )
    authentication = Authentication(
        tokens or {"web": TOKEN, "other": OTHER_TOKEN},
        SessionStore(bench.database),
        key=b"a key",
        public_url=public_url,
        proxies=Proxies(),
        clock=bench.clock,
    )
    await authentication.sessions.load()
    site = Site(
        clients=clients,
        feed=feed,
        authentication=authentication,
        texts=Texts.load(),
        links=links,
        poster_cache=poster_cache,
        retention=bench.retention,
        narrator=narrator,
        max_audio_bytes=MAX_AUDIO,
        proxies=Proxies(),
        clock=bench.clock,
    )
    server = WebServer(
        [*site.routes, *shares.routes],
        listener,
        is_ready=lambda: True,
        refuse=ErrorResponses(Texts.load()).response_to,
        only_tls=public_url.startswith("https://"),
    )
    await server.start()
    async with aiohttp.ClientSession(url) as http:
        try:
            yield Caller(bench=bench, clients=clients, site=site, http=http, url=url, links=links)
        finally:
            await site.close()
            await server.close()

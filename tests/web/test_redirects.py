"""Links and shared pages whose files are in a store that the outside can reach."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bot.artifacts import FinishedVideo
from bot.links import Links
from bot.logs import Redactor
from bot.media.files.stores.base import video_key
from bot.media.files.workspace import Workspace
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.poster_cache import PosterCache
from bot.texts import Texts
from bot.web.http.middleware import ErrorMiddleware
from bot.web.pages.file_links import FileLinks
from bot.web.pages.share import SharePage
from tests.support.fakes.remote_store import RemoteStore
from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from tests.support.fakes.bench import Bench

    Client = TestClient[web.Request, web.Application]

STORE = "https://files.example.org"


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Visitor:
    """A visitor of the links to one job's video, which is kept in `store`."""

    def __init__(self, bench: Bench, store: RemoteStore, client: Client) -> None:
        self.bench = bench
        self.store = store
        self.client = client
        self.links = _links(bench)
        self.job_id = ""

    async def publish(self, clip: Path) -> None:
        """Publish a clip as the video of a job that has ended."""
        job = await self.bench.run_out((await self.bench.submit()).id)
        workspace = Workspace(self.bench.root, self.store)
        captions = clip.with_suffix(".vtt")
        captions.write_text("WEBVTT\n")
        artifact = await workspace.publish(
            job.id, FinishedVideo(path=clip, captions=captions), now=self.bench.clock()
        )
        await workspace.delete_scratch(job.id)
        await self.bench.artifacts.save(artifact)
        self.job_id = job.id

    @property
    def file(self) -> str:
        """The path of the link to the file."""
        return URL(self.links.make(self.job_id)).path

    async def page(self) -> str:
        """Return the path of the link to the page."""
        artifact = await self.bench.artifacts.get(self.job_id)
        assert artifact is not None
        return URL(self.links.share(self.job_id, serial=artifact.share_serial).url).path

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Send a request without following a redirect, and read the response."""
        async with self.client.request(
            method, path, headers=headers, allow_redirects=False
        ) as response:
            body = await response.read()
            return Answer(status=response.status, headers=response.headers, body=body)


def _links(bench: Bench) -> Links:
    return Links(b"key", public_url="https://bot.example.org", lifetime=60.0, clock=bench.clock)


@asynccontextmanager
async def open_visitor(bench: Bench, clip: Path, *, public: str) -> AsyncGenerator[Visitor]:
    store = RemoteStore(public=public)
    workspace, links = Workspace(bench.root, store), _links(bench)
    posters = PosterCache(Ffmpeg(clips.binary(), slots=1), workspace)
    pages = SharePage(
        links=links,
        jobs=bench.jobs,
        artifacts=bench.artifacts,
        workspace=workspace,
        poster_cache=posters,
        texts=Texts.load(),
        store_origin=public,
    )
    app = web.Application(middlewares=[ErrorMiddleware(None).handle])
    app.add_routes([*FileLinks(links, bench.artifacts, workspace).routes, *pages.routes])
    async with TestClient(TestServer(app)) as client:
        visitor = Visitor(bench, store, client)
        await visitor.publish(clip)
        yield visitor


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    clips.make_clip(tmp_path / "clip.mp4")
    return tmp_path / "clip.mp4"


async def test_links_are_checked_and_lead_to_the_store_for_ten_minutes(
    bench: Bench, clip: Path
) -> None:
    async with open_visitor(bench, clip, public=STORE) as visitor:
        size = len(visitor.store.files[video_key(visitor.job_id)])
        page, file = await visitor.page(), visitor.file
        shown = await visitor.ask(page)
        assert shown.status == HTTPStatus.OK
        policy = shown.headers["Content-Security-Policy"]
        assert f"media-src 'self' {STORE}; img-src 'self' {STORE};" in policy
        for path in (visitor.file, f"{page}/video.mp4", f"{page}/poster.jpg"):
            response = await visitor.ask(path)
            assert (response.status, response.headers["Cache-Control"]) == (302, "no-store")
            assert response.headers["Location"].startswith(f"{STORE}/videos/{visitor.job_id}.")
            assert "X-Amz-Expires=600&" in response.headers["Location"]
        # Browsers load captions only from the origin of the page.
        captions = await visitor.ask(f"{page}/captions.vtt")
        assert (captions.status, captions.body) == (200, b"WEBVTT\n")
        head = await visitor.ask(visitor.file, "HEAD")
        assert (head.status, head.headers["Content-Length"]) == (200, str(size))
        assert (await visitor.ask(f"{visitor.file}x")).status == HTTPStatus.NOT_FOUND

        await bench.artifacts.withdraw_shares(visitor.job_id)
        assert (await visitor.ask(f"{page}/video.mp4")).status == HTTPStatus.NOT_FOUND
        bench.clock.advance(60)
        assert (await visitor.ask(file)).status == HTTPStatus.NOT_FOUND


async def test_without_a_public_address_the_bot_sends_the_bytes_and_their_ranges(
    bench: Bench, clip: Path
) -> None:
    async with open_visitor(bench, clip, public="") as visitor:
        content = visitor.store.files[video_key(visitor.job_id)]
        whole = await visitor.ask(visitor.file)
        assert (whole.status, whole.body) == (HTTPStatus.OK, content)
        part = await visitor.ask(visitor.file, Range="bytes=5-9")
        assert (part.status, part.body) == (HTTPStatus.PARTIAL_CONTENT, content[5:10])
        # Nothing more was read, and nothing was copied to this machine.
        assert visitor.store.read_bytes == len(content) + 5
        assert not list((bench.root / "scratch").rglob("*.mp4"))
        shown = await visitor.ask(await visitor.page())
        assert "media-src 'self';" in shown.headers["Content-Security-Policy"]
        visitor.store.files[video_key(visitor.job_id)] = large = os.urandom(2_500_000)
        assert (await visitor.ask(visitor.file)).body == large
        newer = await visitor.ask(visitor.file, **{"If-None-Match": whole.headers["ETag"]})
        assert newer.status == HTTPStatus.OK
        del visitor.store.files[video_key(visitor.job_id)]
        assert (await visitor.ask(visitor.file)).status == HTTPStatus.NOT_FOUND
        visitor.store.is_away = True
        for path in (visitor.file, await visitor.page()):
            assert (await visitor.ask(path)).status == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Credential=THE-ID%2F20261130&X-Amz-Signature=THE-SECRET",
        "X-Goog-Credential=THE-ID&X-Goog-Signature=THE-SECRET",
        "sp=r&sv=2023-11-03&sig=THE-SECRET",
        "X-Amz-Security-Token=THE-SECRET",
    ],
)
def test_no_log_has_a_link_that_works(query: str) -> None:
    logged = Redactor(()).clean(f"failed: {STORE}/videos/1.mp4?{query}&x=1")
    assert "THE-" not in logged
    assert logged.endswith("&x=1")

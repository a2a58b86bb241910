"""Tests against nginx, configured as in docs/backends.md, in front of two independent servers.

nginx has to be installed on this machine already.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.backends.base import RemoteState
from bot.backends.openai_videos import OpenAIVideos
from bot.errors import ErrorKind, UnconfirmedSubmitError
from bot.model import VideoRequest
from tests.proofs.peers import installing
from tests.proofs.peers.asking import lost, refused
from tests.proofs.peers.processes import running
from tests.support.providers import recipes
from tests.support.providers.openai_setup import MAX_BYTES, TLS, bytes_of
from tests.support.providers.stand_in import Fault
from tests.support.providers.videos_api import VideosApi
from tests.support.wire import free_port, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.proofs.peers.findings import Findings
    from tests.support.wire import Wire

NAME = "nginx, two servers"
_RECIPE = "Many servers behind nginx"
_REQUEST = VideoRequest(prompt="A red kite", model=None, seconds=8, size="1280x720")
_TOP = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
access_log off;
client_body_temp_path body;
proxy_temp_path proxy;
fastcgi_temp_path fastcgi;
uwsgi_temp_path uwsgi;
scgi_temp_path scgi;
"""


async def judge(folder: Path, findings: Findings) -> None:
    """Start nginx, and test the bot and the adapter against both servers."""
    program = installing.program("nginx")
    async with (
        open_wire(folder) as wire,
        VideosApi(clip=wire.clip, seconds_per_job=0.2) as second,
        _balancer(program, folder, wire.api, second) as base_url,
    ):
        await _through_the_bot(wire, second, base_url, findings)
        backend = OpenAIVideos(base_url=base_url, api_key=None, tls=TLS)
        try:
            await _adapter_alone(wire, second, backend, findings)
        finally:
            await backend.close()


@asynccontextmanager
async def _balancer(program: str, folder: Path, *servers: VideosApi) -> AsyncGenerator[str]:
    addresses = [server.base_url.removeprefix("http://").removesuffix("/v1") for server in servers]
    sites = recipes.blocks("nginx")[_RECIPE]
    port = free_port()
    for named, address in (
        ("10.0.0.11:8000", addresses[0]),
        ("10.0.0.12:8000", addresses[1]),
        ("127.0.0.1:8000", f"127.0.0.1:{port}"),
    ):
        assert named in sites
        sites = sites.replace(named, address)
    config = folder / "nginx.conf"
    config.write_text(f"{_TOP}{sites}}}\n", encoding="utf-8")
    url = f"http://127.0.0.1:{port}/v1"
    async with running(
        program,
        "-p",
        str(folder),
        "-c",
        str(config),
        health=f"{url}/videos",
        log=folder / "nginx.log",
        variables={},
    ):
        yield url


async def _through_the_bot(
    wire: Wire, second: VideosApi, base_url: str, findings: Findings
) -> None:
    recipe = {name.lower(): value for name, value in recipes.environment(_RECIPE).items()}
    del recipe["discord_token"]
    settings: dict[str, Any] = recipe | {
        "openai_base_url": base_url,
        "openai_webhook_secret": "",
        "video_seconds": 8,  # the stand-in makes clips of 4, 8 or 12 seconds
    }
    async with (
        findings.step(NAME, "four times /video, made by both servers, all finished"),
        wire.bot(**settings | {"max_jobs_per_user": 4}),
    ):
        messages = [await wire.video(f"Kite number {number}") for number in range(4)]
        for message in messages:
            await wire.wait_for_video(message)
        assert len(wire.api.creates) + len(second.creates) == 4
        assert wire.api.creates
        assert second.creates


async def _adapter_alone(
    wire: Wire, second: VideosApi, backend: OpenAIVideos, findings: Findings
) -> None:
    def creates() -> int:
        return len(wire.api.creates) + len(second.creates)

    async with findings.step(NAME, "each job is found whichever server is asked first"):
        for _ in range(4):
            update = await backend.submit(_REQUEST, create_key="k")
            while update.state is not RemoteState.DONE:
                update = await backend.poll(update.ref)
            sink = wire.folder / "fetched.mp4"
            await backend.fetch(update, sink, max_bytes=MAX_BYTES)
            assert bytes_of(sink) == bytes_of(wire.clip)
            assert await backend.cancel(update.ref)
            assert (await lost(backend, update.ref)).kind is ErrorKind.GONE
    async with findings.step(NAME, "a create that is accepted but not answered is POSTed once"):
        before = creates()
        for server in (wire.api, second):
            server.add_faults("create", Fault(after=True, reset=True))
        for accepted in (1, 2):
            assert isinstance(await refused(backend, _REQUEST), UnconfirmedSubmitError)
            assert creates() == before + accepted
    async with findings.step(NAME, "the list of one server is not mistaken for a complete one"):
        assert not (await backend.find(_REQUEST)).complete
    async with findings.step(NAME, "one server down: the other accepts the job, once"):
        await second.close()
        before = len(wire.api.creates)
        for accepted in (1, 2, 3):
            await backend.submit(_REQUEST, create_key="k")
            assert len(wire.api.creates) == before + accepted

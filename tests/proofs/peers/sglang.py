"""Tests against SGLang-Diffusion's own video routes with a fake engine: no GPU, no weights."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.backends.base import RemoteState
from bot.errors import ErrorKind
from bot.model import VideoRequest
from tests.proofs.peers import installing
from tests.proofs.peers.asking import labels, lost, refused
from tests.proofs.peers.processes import running
from tests.support.providers.openai_setup import MAX_BYTES, bytes_of, over_the_sdk
from tests.support.wire import free_port, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.backends.base import BackendUpdate
    from bot.backends.openai_videos import OpenAIVideos
    from tests.proofs.peers.findings import Findings
    from tests.support.wire import Wire

_VERSION = "0.5.23"
NAME = f"SGLang {_VERSION}, its routes"
_WITHOUT_AN_ENGINE = (
    "fastapi==0.165.0",
    "pydantic==2.14.4",
    "uvicorn==0.54.0",
    "python-multipart==0.0.34",
    "numpy==2.4.6",
    "pillow==13.0.0",
    "imageio==2.38.1",
    "imageio-ffmpeg==0.8.1",
    "pyzmq==27.3.0",
    "httpx==0.28.1",
)
_REQUEST = VideoRequest(prompt="A red kite", model=None, seconds=8, size="1280x720")


async def judge(folder: Path, findings: Findings) -> None:
    """Start the routes, and test the bot and the adapter against them."""
    programs = installing.from_pypi(
        "sglang", f"sglang=={_VERSION}", dependencies=_WITHOUT_AN_ENGINE
    )
    async with open_wire(folder) as wire:
        stored = await wire.stored_clip()
        async with _server(programs, wire, stored) as base_url:
            await _through_the_bot(wire, base_url, findings)
            origin = wire.api.base_url.removesuffix("/v1")
            backend = over_the_sdk(base_url=base_url, api_key=None, result_origins=(origin,))
            try:
                await _adapter_alone(wire, backend, findings)
            finally:
                await backend.close()


@asynccontextmanager
async def _server(programs: Path, wire: Wire, clip_url: str) -> AsyncGenerator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    async with running(
        str(programs / "python"),
        str(Path(__file__).with_name("sglang_server.py")),
        str(port),
        str(wire.clip),
        str(wire.folder / "made"),
        clip_url,
        health=f"{url}/videos",
        log=wire.folder / "sglang.log",
        variables={"PYTHONPATH": str(Path(__file__).parents[3])},
    ):
        yield url


async def _through_the_bot(wire: Wire, base_url: str, findings: Findings) -> None:
    settings = {"openai_base_url": base_url, "video_model": "-", "openai_extra": '{"fps": 16}'}
    async with findings.step(NAME, "/video to the finished message"), wire.bot(**settings):
        await wire.wait_for_video(await wire.video("A red kite over the sea"))
        await wire.wait_for_job()
    async with findings.step(NAME, "/video whose job fails"), wire.bot(**settings):
        message = await wire.video("[fail] A red kite over the sea")
        await wire.wait_for_card_text(message, "That didn't work")
        assert "Try again" in labels(message)


async def _made(backend: OpenAIVideos, request: VideoRequest) -> BackendUpdate:
    update = await backend.submit(request, create_key="k")
    assert update.state is RemoteState.QUEUED
    seen: list[int] = []
    while update.state not in {RemoteState.DONE, RemoteState.FAILED}:
        update = await backend.poll(update.ref)
        seen.append(update.progress or 0)
    assert seen == sorted(seen)
    assert any(0 < percent < 100 for percent in seen), seen
    return update


async def _adapter_alone(wire: Wire, backend: OpenAIVideos, findings: Findings) -> None:
    sink = wire.folder / "fetched.mp4"
    for body in ("multipart", "json"):
        async with findings.step(NAME, f"create as {body}, real percentages, content"):
            other = replace(backend, body=body, extra={"fps": 24, "seed": 7})
            update = await _made(other, _REQUEST)
            await other.fetch(update, sink, max_bytes=MAX_BYTES)
            assert bytes_of(sink) == bytes_of(wire.clip)
            await other.close()
    async with findings.step(NAME, "content in cloud storage: by the link in the job"):
        update = await _made(backend, replace(_REQUEST, prompt="[cloud] A red kite"))
        assert update.result_url
        await backend.fetch(update, sink, max_bytes=MAX_BYTES)
    async with findings.step(NAME, "content in cloud storage: by the link in the refusal"):
        await backend.fetch(replace(update, result_url=None), sink, max_bytes=MAX_BYTES)
        assert bytes_of(sink) == bytes_of(wire.clip)
    async with findings.step(NAME, "retrieve: failed, with a message and no code"):
        update = await _made(backend, replace(_REQUEST, prompt="[fail] A red kite"))
        assert update.state is RemoteState.FAILED
        assert update.error
        assert update.error.message == "CUDA out of memory"
    async with findings.step(
        NAME, "content requested too early: repeated until it is there; an unknown job"
    ):
        update = await backend.submit(_REQUEST, create_key="k")
        sink.unlink()
        await backend.fetch(update, sink, max_bytes=MAX_BYTES)
        assert bytes_of(sink) == bytes_of(wire.clip)
        assert (await lost(backend, "nobodys")).kind is ErrorKind.GONE
    async with findings.step(NAME, "create: refused without a prompt"):
        error = await refused(backend, replace(_REQUEST, prompt=""))
        assert error.kind is ErrorKind.INVALID
    async with findings.step(NAME, "list: complete, but without prompts, so never certain"):
        listing = await backend.find(_REQUEST)
        assert update.ref in listing.refs
        assert (listing.complete, listing.echoes[update.ref].prompt) == (True, None)
    async with findings.step(NAME, "delete: the job is removed, but not stopped"):
        assert not await backend.cancel(update.ref)
        assert (await lost(backend, update.ref)).kind is ErrorKind.GONE

"""Tests against aimock, which mocks many vendors' APIs, among them OpenAI's and OpenRouter's."""

from __future__ import annotations

import base64
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.backends.base import RemoteState
from bot.backends.openrouter.adapter import OpenRouter
from bot.errors import ErrorKind, UnconfirmedSubmitError
from bot.model import VideoRequest
from tests.proofs.peers import installing
from tests.proofs.peers.asking import lost, refused
from tests.proofs.peers.processes import running
from tests.support.providers.openai_setup import MAX_BYTES, bytes_of, over_the_sdk
from tests.support.wire import free_port, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.backends.base import VideoBackend
    from tests.proofs.peers.findings import Findings
    from tests.support.wire import Wire

_VERSION = "1.43.0"
NAME = f"aimock {_VERSION}"
_VIDEOS = f"{NAME}, Videos API"
_OPENROUTER = f"{NAME}, OpenRouter"
_MODEL = "openai/sora-2"  # a model in aimock's list
_COST = 0.4
_BLOCKED = "Your request was blocked by our moderation system."


async def judge(folder: Path, findings: Findings) -> None:
    """Start the mock, and test the bot and both adapters against it."""
    node = installing.program("node")
    package = installing.from_npm("aimock", "@copilotkit/aimock", _VERSION)
    async with open_wire(folder) as wire:
        clip_url = await wire.stored_clip()
        async with _mock(node, package, wire, clip_url) as url:
            await _videos_api(wire, f"{url}/v1", findings)
            await _openrouter(wire, f"{url}/api/v1", findings)


@asynccontextmanager
async def _mock(node: str, package: Path, wire: Wire, clip_url: str) -> AsyncGenerator[str]:
    fixtures = wire.folder / "fixtures.json"
    clip = base64.b64encode(bytes_of(wire.clip)).decode()
    fixtures.write_text(json.dumps({"fixtures": _fixtures(clip_url, clip)}), encoding="utf-8")
    url = f"http://127.0.0.1:{(port := free_port())}"
    async with running(
        node,
        str(package / "dist" / "cli.js"),
        "--strict",
        "--validate-on-load",
        "--port",
        str(port),
        "--fixtures",
        str(fixtures),
        health=f"{url}/health",
        log=wire.folder / "aimock.log",
        variables={},
    ):
        yield url


def _fixtures(clip_url: str, clip: str) -> list[dict[str, Any]]:
    def said(word: str, response: dict[str, Any]) -> dict[str, Any]:
        return {"match": {"userMessage": word, "endpoint": "video"}, "response": response}

    def no(status: int, message: str, **more: Any) -> dict[str, Any]:
        error = {"message": message, "type": "invalid_request_error"}
        return {"error": error, "status": status, **more}

    done = {"id": "video_1", "status": "completed", "url": clip_url, "b64": clip, "cost": _COST}
    return [
        said("blocked", no(400, _BLOCKED)),
        said("busy", no(429, "Slow down.", retryAfter=7)),
        said("broken", no(500, "Oops.")),
        said("fails", {"video": {"id": "video_2", "status": "failed", "error": "It gave up."}}),
        said("goes on", {"video": {"id": "video_3", "status": "processing"}}),
        said("red kite", {"video": done}),
    ]


def _request(prompt: str) -> VideoRequest:
    return VideoRequest(prompt=prompt, model=_MODEL, seconds=8, size="1280x720")


async def _videos_api(wire: Wire, base_url: str, findings: Findings) -> None:
    origin = wire.api.base_url.removesuffix("/v1")
    settings = {"openai_base_url": base_url, "openai_result_origins": origin}
    async with (
        findings.step(_VIDEOS, "/video, finished in the answer to the create, with a link"),
        wire.bot(**settings),
    ):
        await wire.wait_for_video(await wire.video("A red kite over the sea"))
        await wire.wait_for_job()
    async with findings.step(_VIDEOS, "/video whose job fails"), wire.bot(**settings):
        await wire.wait_for_card_text(await wire.video("A kite that fails"), "That didn't work")
    backend = over_the_sdk(base_url=base_url, api_key="k", result_origins=(origin,))
    try:
        await _both(_VIDEOS, backend, findings)
        async with findings.step(_VIDEOS, "retrieve: running, without a percentage"):
            update = await backend.submit(_request("A kite that goes on"), create_key="k")
            assert (update.state, update.progress) == (RemoteState.RUNNING, None)
            assert await backend.poll(update.ref) == update
        async with findings.step(_VIDEOS, "the same without a model, and as JSON"):
            json_backend = over_the_sdk(base_url=base_url, api_key="k", body="json")
            request = VideoRequest(prompt="A red kite", model=None, seconds=8, size="1280x720")
            update = await json_backend.submit(request, create_key="k")
            assert update.state is RemoteState.DONE
            await json_backend.close()
    finally:
        await backend.close()


async def _openrouter(wire: Wire, base_url: str, findings: Findings) -> None:
    settings = {
        "video_backend": "openrouter",
        "openrouter_base_url": base_url,
        "openrouter_api_key": "sk-or-made-up",
        "video_model": _MODEL,
    }
    async with (
        findings.step(_OPENROUTER, "/video to the finished message, with its cost stored"),
        wire.bot(**settings),
    ):
        await wire.wait_for_video(await wire.video("A red kite over the sea"))
        costs = "SELECT cost_usd FROM jobs WHERE backend = 'openrouter'"
        assert query(wire.data_dir, costs) == [(_COST,)]
    async with findings.step(_OPENROUTER, "/video whose job fails"), wire.bot(**settings):
        await wire.wait_for_card_text(await wire.video("A kite that fails"), "That didn't work")
    backend = OpenRouter(base_url=base_url, api_key="sk-or-made-up")
    try:
        await _both(_OPENROUTER, backend, findings)
        async with findings.step(_OPENROUTER, "the list of models, and the check of the key"):
            names = {name for offer in await backend.offers() for name in offer.names}
            assert _MODEL in names
            await backend.check_key()
        async with findings.step(_OPENROUTER, "content, byte for byte"):
            update = await backend.submit(_request("A red kite"), create_key="k")
            while update.state not in {RemoteState.DONE, RemoteState.FAILED}:
                update = await backend.poll(update.ref)
            sink = wire.folder / "fetched.mp4"
            await backend.fetch(update, sink, max_bytes=MAX_BYTES)
            assert bytes_of(sink) == bytes_of(wire.clip)
    finally:
        await backend.close()


async def _both(name: str, backend: VideoBackend, findings: Findings) -> None:
    async with findings.step(name, "create: refused by moderation"):
        assert (await refused(backend, _request("blocked"))).kind is ErrorKind.MODERATED
    async with findings.step(name, "create: refused for now, with Retry-After"):
        error = await refused(backend, _request("busy"))
        assert (error.kind, error.retry_after) == (ErrorKind.RATE, 7)
    async with findings.step(name, "create: answered with 500, which leaves it unconfirmed"):
        assert isinstance(await refused(backend, _request("broken")), UnconfirmedSubmitError)
    async with findings.step(name, "retrieve: failed"):
        update = await backend.submit(_request("A kite that fails"), create_key="k")
        while update.state not in {RemoteState.DONE, RemoteState.FAILED}:
            update = await backend.poll(update.ref)
        assert update.state is RemoteState.FAILED
    async with findings.step(name, "retrieve: an unknown job"):
        assert (await lost(backend, "nobodys")).kind is ErrorKind.GONE

"""Tests against the LiteLLM proxy, configured as in docs/backends.md, in front of a stand-in."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from bot.model import VideoRequest
from tests.proofs.peers import installing
from tests.proofs.peers.asking import labels, lost, refused
from tests.proofs.peers.processes import running
from tests.support.providers import recipes
from tests.support.providers.openai_setup import MAX_BYTES, bytes_of, over_the_sdk
from tests.support.providers.stand_in import Fault
from tests.support.wire import WITHIN, free_port, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.backends.openai_videos import OpenAIVideos
    from tests.proofs.peers.findings import Findings
    from tests.support.providers.videos_api import VideosApi
    from tests.support.wire import Wire

NAME = "LiteLLM 1.106.12"
_RECIPE = "LiteLLM in front of other vendors"
_MASTER_KEY = "sk-the-master-key"
_VENDORS_KEY = "sk-the-vendors-key"
_REQUEST = VideoRequest(prompt="A red kite", model="own-gpus", seconds=8, size="1280x720")


async def judge(folder: Path, findings: Findings) -> None:
    """Start the proxy, and test the bot and the adapter against it."""
    programs = installing.from_pypi("litellm", "litellm[proxy]==1.106.12")
    async with (
        open_wire(folder) as wire,
        _proxy(programs, folder, wire.api) as base_url,
    ):
        await _through_the_bot(wire, base_url, findings)
    (folder / "apart").mkdir()
    async with (
        open_wire(folder / "apart", seconds_per_job=None) as wire,
        _proxy(programs, folder, wire.api) as base_url,
    ):
        backend = over_the_sdk(base_url=base_url, api_key=_MASTER_KEY)
        try:
            await _Questions(wire=wire, backend=backend, findings=findings).ask_all()
        finally:
            await backend.close()


@asynccontextmanager
async def _proxy(programs: Path, folder: Path, vendor: VideosApi) -> AsyncGenerator[str]:
    config = folder / "config.yaml"
    config.write_text(recipes.blocks("yaml")[_RECIPE], encoding="utf-8")
    url = f"http://127.0.0.1:{(port := free_port())}"
    async with running(
        str(programs / "litellm"),
        "--config",
        str(config),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        health=f"{url}/health/liveliness",
        log=folder / "litellm.log",
        variables={
            "LITELLM_MASTER_KEY": _MASTER_KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # otherwise it downloads prices
            "VIDEO_SERVER_URL": vendor.base_url,
            "VIDEO_SERVER_KEY": _VENDORS_KEY,
        },
    ):
        yield f"{url}/v1"


async def _through_the_bot(wire: Wire, base_url: str, findings: Findings) -> None:
    recipe = {name.lower(): value for name, value in recipes.environment(_RECIPE).items()}
    del recipe["discord_token"]
    settings: dict[str, Any] = recipe | {
        "openai_base_url": base_url,
        "openai_webhook_secret": "",
        "video_model": _REQUEST.model,  # the only entry of the recipe that needs no vendor
    }
    async with findings.step(NAME, "/video to the finished message"), wire.bot(**settings):
        message = await wire.video("A red kite over the sea")
        await wire.wait_for_video(message)
        await wire.wait_for_job()
        assert wire.creates() == 1
        assert wire.api.calls[-1].headers["Authorization"] == f"Bearer {_VENDORS_KEY}"
    async with findings.step(NAME, "/video whose job fails"), wire.bot(**settings):
        message = await wire.video("[fail] A red kite over the sea")
        await wire.wait_for_card_text(message, "That didn't work")
        assert wire.rows()[-1][0] == "failed"
    async with (
        findings.step(NAME, "/video with a wrong key: it waits, and the operator is notified"),
        wire.bot(**settings | {"openai_api_key": "sk-wrong"}),
    ):
        waiting = await wire.video("A red kite on the ground")
        await wire.wait_for_card_text(waiting, "is rejecting my API key")
    async with (
        findings.step(NAME, "/video whose create is accepted but not answered: POSTed once"),
        wire.bot(**settings),
    ):
        await wire.wait_for_video(waiting)  # the right key lets the waiting job continue
        before = wire.creates()
        wire.api.add_faults("create", Fault(after=True, reset=True))
        message = await wire.video("A red kite that was taken")
        await wire.fake_discord.wait_for(
            lambda: "may cost double" in labels(message), within=WITHIN
        )
        assert wire.creates() == before + 1


@dataclass(frozen=True, kw_only=True)
class _Questions:
    wire: Wire
    backend: OpenAIVideos
    findings: Findings

    async def ask_all(self) -> None:
        for done, question in (
            ("create: with extra fields, as a form and as JSON", self._creates),
            ("retrieve: progress, then the clip, byte for byte", self._content),
            ("retrieve: refused by moderation", self._moderated),
            ("retrieve: a failed job in a 500, like vLLM-Omni's", self._failed_inside_an_error),
            ("retrieve: an outage is not a failure, an unknown job is gone", self._lost),
            ("content: before the job has completed", self._early_content),
            ("create: answered with each refusal, POSTed once", self._refusals),
            ("list and delete: not supported, and never taken as success", self._unlisted),
        ):
            async with self.findings.step(NAME, done):
                await question()

    @property
    def _vendor(self) -> VideosApi:
        return self.wire.api

    async def _submit(self) -> tuple[str, str]:
        update = await self.backend.submit(_REQUEST, create_key="k")
        assert update.state is RemoteState.QUEUED
        return update.ref, self._vendor.creates[-1]

    async def _creates(self) -> None:
        extra = {"fps": 24, "seed": 7}
        for body in ("multipart", "json"):
            await replace(self.backend, body=body, extra=extra).submit(_REQUEST, create_key="k")
            form = self._vendor.calls[-1].form
            assert form["prompt"] == _REQUEST.prompt
            assert (form["seconds"], form["size"]) == ("8", "1280x720")
            assert (form["fps"], form["seed"]) == ("24", "7")

    async def _content(self) -> None:
        ref, theirs = await self._submit()
        assert theirs not in ref
        self._vendor.progress(theirs, 40)
        assert (await self.backend.poll(ref)).progress == 40
        self._vendor.finish(theirs)
        update = await self.backend.poll(ref)
        assert update.state is RemoteState.DONE
        sink = self.wire.folder / "fetched.mp4"
        await self.backend.fetch(update, sink, max_bytes=MAX_BYTES)
        assert bytes_of(sink) == bytes_of(self.wire.clip)

    async def _moderated(self) -> None:
        ref, theirs = await self._submit()
        self._vendor.fail(theirs, "moderation_blocked", "Your request was blocked.")
        update = await self.backend.poll(ref)
        assert update.error
        assert update.error.kind is ErrorKind.MODERATED

    async def _failed_inside_an_error(self) -> None:
        ref, theirs = await self._submit()
        error = {"code": 500, "message": "CUDA out of memory"}
        job = self._vendor.jobs[theirs] | {"status": "failed", "error": error}
        for status in (500, 400):
            self._vendor.add_faults("retrieve", Fault(status=status, body=job))
            update = await self.backend.poll(ref)
            assert update.state is RemoteState.FAILED
            assert update.error
            assert "CUDA out of memory" in update.error.message

    async def _lost(self) -> None:
        ref, theirs = await self._submit()
        self._vendor.add_faults("retrieve", Fault(status=503, body="down"))
        assert (await lost(self.backend, ref)).kind is ErrorKind.TRANSIENT
        del self._vendor.jobs[theirs]
        assert (await lost(self.backend, ref)).kind is ErrorKind.GONE

    async def _early_content(self) -> None:
        ref, _ = await self._submit()
        update = await self.backend.poll(ref)
        try:
            await self.backend.fetch(update, self.wire.folder / "early.mp4", max_bytes=MAX_BYTES)
        except BackendError as error:
            assert error.kind is ErrorKind.TRANSIENT, error  # noqa: PT017 - outside pytest
        else:
            raise AssertionError("the content was there before the job had completed")

    async def _refusals(self) -> None:
        for status, kind in (
            (400, ErrorKind.INVALID),
            (401, ErrorKind.AUTH),
            (402, ErrorKind.BALANCE),
            (422, ErrorKind.INVALID),
            (429, ErrorKind.RATE),
            (500, ErrorKind.TRANSIENT),
            (502, ErrorKind.TRANSIENT),
            (503, ErrorKind.TRANSIENT),
        ):
            before = self.wire.creates()
            self._vendor.add_faults(
                "create", Fault(status=status, body={"error": {"message": "no"}})
            )
            error = await refused(self.backend, _REQUEST)
            assert error.kind is kind, error
            assert isinstance(error, UnconfirmedSubmitError) is (status >= 500), error
            assert self.wire.creates() == before + 1, status

    async def _unlisted(self) -> None:
        ref, _ = await self._submit()
        listing = await self.backend.find(_REQUEST, hints=(ref,))
        assert (listing.refs, listing.complete) == ((ref,), False)
        assert not await self.backend.cancel(ref)

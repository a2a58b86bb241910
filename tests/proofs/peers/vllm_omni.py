"""Tests against vLLM-Omni's own video routes with a fake engine: no GPU, no weights."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.backends.base import RemoteState, VoiceSound
from bot.errors import RefusedVoiceError
from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.model import VideoRequest
from bot.speech.mp3 import write_mp3
from tests.proofs.peers import installing
from tests.proofs.peers.asking import error_of
from tests.proofs.peers.processes import running
from tests.support.media import clips, measurements, sync
from tests.support.providers.openai_setup import bytes_of, over_the_sdk
from tests.support.wire import free_port, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.backends.openai_videos import OpenAIVideos
    from tests.proofs.peers.findings import Findings
    from tests.support.wire import Wire

_VERSION = "0.30.0"
NAME = f"vLLM-Omni {_VERSION}, its routes"
_WITHOUT_AN_ENGINE = (
    "fastapi==0.165.0",
    "pydantic==2.14.4",
    "pydantic-settings==2.16.3",
    "uvicorn==0.54.0",
    "python-multipart==0.0.34",
    "numpy==2.4.6",
    "pillow==13.0.0",
    "httpx==0.28.1",
)
_REQUEST = VideoRequest(prompt="A red kite", model=None, seconds=8, size="1280x720")
_VOICE_SECONDS, _CLICKING_SECONDS = 3.2, 5.3
_POLL_SECONDS = 0.05


async def judge(folder: Path, findings: Findings) -> None:
    """Start the routes, and test the sounds that the bot and the adapter send."""
    programs = installing.from_pypi(
        "vllm-omni", f"vllm-omni=={_VERSION}", dependencies=_WITHOUT_AN_ENGINE
    )
    async with open_wire(folder) as wire, _server(programs, wire) as base_url:
        backend = over_the_sdk(base_url=base_url, api_key=None)
        try:
            await _adapter_alone(wire, backend, findings)
        finally:
            await backend.close()
        await _through_the_bot(wire, base_url, findings)


@asynccontextmanager
async def _server(programs: Path, wire: Wire) -> AsyncGenerator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    (wire.folder / "heard").mkdir()
    async with running(
        str(programs / "python"),
        str(Path(__file__).with_name("vllm_omni_server.py")),
        str(port),
        str(wire.clip),
        str(wire.folder / "heard"),
        health=f"{url}/videos",
        log=wire.folder / "vllm_omni.log",
        variables={
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "VLLM_OMNI_SERVER_STORAGE__PATH": str(wire.folder / "made"),
        },
    ):
        yield url


async def _voice(wire: Wire) -> Path:
    """Return the MP3 of a voice, as the bot makes it."""
    ffmpeg, folder = Ffmpeg(clips.binary(), slots=1), wire.folder
    speech = await asyncio.to_thread(
        clips.make_speech, folder / "speech.wav", seconds=_VOICE_SECONDS
    )
    voice = await ingest(ffmpeg, speech, folder / "narration.wav", max_seconds=30)
    await write_mp3(ffmpeg, voice, folder / "voice.mp3", is_spoken=False)
    return folder / "voice.mp3"


def _inline(content: bytes) -> VoiceSound:
    return VoiceSound(url=f"data:audio/mpeg;base64,{base64.b64encode(content).decode()}")


async def _adapter_alone(wire: Wire, backend: OpenAIVideos, findings: Findings) -> None:
    mp3 = await _voice(wire)
    async with findings.step(NAME, "audio_reference: the engine gets the sound that was sent"):
        update = await backend.submit(_REQUEST, create_key="k", voice=_inline(bytes_of(mp3)))
        while update.state not in {RemoteState.DONE, RemoteState.FAILED}:
            await asyncio.sleep(_POLL_SECONDS)
            update = await backend.poll(update.ref)
        assert update.state is RemoteState.DONE, update.error
        heard = wire.folder / "heard" / f"{update.ref}.mp3"
        assert bytes_of(heard) == bytes_of(mp3)
        drift = abs(measurements.sound_seconds(heard) - _VOICE_SECONDS)
        assert drift <= sync.MOST_DRIFT, drift
    async with findings.step(NAME, "audio_reference: three refusals, each a clear no"):
        for url in ("http://127.0.0.1:9/n/voice.mp3", "ftp://voice", "data:audio/mpeg;base64,"):
            voice = VoiceSound(url=url)
            error = await error_of(backend.submit(_REQUEST, create_key="k", voice=voice))
            assert isinstance(error, RefusedVoiceError), error
    async with findings.step(NAME, "audio_reference: a field over 1 MiB is refused as too long"):
        voice = _inline(bytes(800 * 1024))
        error = await error_of(backend.submit(_REQUEST, create_key="k", voice=voice))
        assert isinstance(error, RefusedVoiceError), error
    async with findings.step(NAME, "audio_reference: the longest that the bot sends is taken"):
        await backend.submit(_REQUEST, create_key="k", voice=_inline(bytes(785 * 1000)))


async def _through_the_bot(wire: Wire, base_url: str, findings: Findings) -> None:
    settings = {
        "openai_base_url": base_url,
        "openai_audio_reference": "on",
        "narration_mode": "guide",
        "video_model": "-",
    }
    voice = await asyncio.to_thread(sync.make_voice, wire.folder, seconds=_CLICKING_SECONDS)
    async with (
        findings.step(NAME, "/video with a voice: heard, then laid over a picture in sync"),
        wire.bot(**settings),
    ):
        before = set(_sounds(wire))
        card = await wire.video("A red kite over the sea [heard]", voice)
        while not (heard := [*{*_sounds(wire)} - before]):  # noqa: ASYNC110 - another process's file
            await asyncio.sleep(_POLL_SECONDS)
        await asyncio.to_thread(_make_clip, heard[0])
        await wire.wait_for_video(card)
        await wire.wait_for_job()
        [(job, use, ref)] = query(wire.data_dir, "SELECT id, voice_use, remote_id FROM jobs")
        assert (use, ref) == ("sent", heard[0].stem)
        await asyncio.to_thread(sync.assert_in_sync, wire.data_dir / "videos" / f"{job}.mp4")


def _sounds(wire: Wire) -> list[Path]:
    return [*(wire.folder / "heard").glob("*.mp3")]


def _make_clip(heard: Path) -> None:
    """Make the clip of a model that has heard a sound, and put it where the engine waits for it."""
    made = sync.make_heard_clip(heard.parents[1], heard.read_bytes(), seconds=_CLICKING_SECONDS)
    made.rename(heard.with_suffix(".mp4"))

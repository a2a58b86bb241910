"""Tests OpenRouter's own package against the stand-in that our adapter is tested with."""

from __future__ import annotations

import asyncio
import hashlib
import json
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.backends.base import VoiceSound
from bot.backends.openrouter.adapter import OpenRouter
from bot.model import VideoRequest
from tests.proofs.peers import installing
from tests.support.media.clips import make_clip
from tests.support.providers.openai_setup import bytes_of
from tests.support.providers.openrouter_api import OpenRouterApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.proofs.peers.findings import Findings

_VERSION = "1.3.84"
NAME = f"openrouter {_VERSION}"
_KEY = "or-made-up"
_WITHIN = 60.0
_SOUND = "https://clapper.example/n/made-up"


async def judge(folder: Path, findings: Findings) -> None:
    """Let the package make two clips, one of which fails, and check its results."""
    programs = installing.from_pypi("openrouter", f"openrouter=={_VERSION}")
    clip = await asyncio.to_thread(make_clip, folder / "clip.mp4", seconds=1)
    async with OpenRouterApi(clip=clip, key=_KEY) as api:
        async with findings.step(NAME, "our stand-in: its models, create, wait, content"):
            said = await _ask(programs, api, api.finish)
            assert said["status"] == "completed"
            assert "google/veo-3.1" in said["models"]
            assert said["sha256"] == hashlib.sha256(bytes_of(clip)).hexdigest()
            assert said["cost"] > 0
        async with findings.step(NAME, "our stand-in: a job that fails"):
            said = await _ask(programs, api, lambda ref: api.fail(ref, "internal", "it broke"))
            assert (said["status"], said["error"]) == ("failed", "internal: it broke")
        async with findings.step(NAME, "our stand-in: a sound is sent as our adapter sends it"):
            said = await _ask(programs, api, api.finish, sound=_SOUND)
            assert said["status"] == "completed"
            backend = OpenRouter(base_url=api.base_url, api_key=_KEY)
            request = VideoRequest(
                prompt="Kite", model="google/veo-3.1", seconds=8, size="1280x720"
            )
            await backend.submit(request, create_key="k", voice=VoiceSound(url=_SOUND))
            await backend.close()
            theirs, ours = (call.form for call in api.made("POST")[-2:])
            assert ours["input_references"] == theirs["input_references"]
        assert len(api.creates) == 4


async def _ask(
    programs: Path, api: OpenRouterApi, end: Callable[[str], None], *, sound: str = ""
) -> dict[str, Any]:
    """Let the package create a job, end that with `end`, and return the package's results."""
    script = str(Path(__file__).with_name("openrouter_child.py"))
    before = len(api.creates)
    child = await asyncio.create_subprocess_exec(
        str(programs / "python"),
        script,
        api.base_url,
        _KEY,
        f"Kite {before}",
        *([sound] if sound else []),
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(_WITHIN):
            while len(api.creates) == before and child.returncode is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            if len(api.creates) > before:
                end(api.creates[-1])
            out, err = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode == 0, err.decode()[-1000:]
    return json.loads(out.decode().splitlines()[-1])

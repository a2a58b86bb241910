from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from bot.web.api import order_body
from tests.support.clients.site import FORM, MAX_AUDIO, Caller, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.fakes.bench import Bench

JSON = {"Content-Type": "application/json"}
# Its base64 contains every character that JSON may escape: "+", "/" and "=".
VOICE = b"OggS" + bytes([0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF]) * 9 + b"\xfb"


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def send(caller: Caller, body: str) -> tuple[int, str]:
    """Order with a raw body, and return the status with the job's ID or the error's key."""
    status, answer = await caller.ask("POST", "/api/generate", data=body, headers=JSON)
    return status, answer["jobId"] if status == 200 else answer["error"]["key"]


@pytest.mark.parametrize(
    ("sign", "escape"),
    [
        ("/", "\\/"),
        ("/", "\\u002f"),
        ("/", "\\u002F"),
        ("+", "\\u002b"),
        ("+", "\\u002B"),
        ("=", "\\u003d"),
        ("=", "\\u003D"),
    ],
)
@pytest.mark.parametrize("chunk", [256 * 1024, 7])
async def test_audio_is_decoded_correctly_for_every_json_escape(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, sign: str, escape: str, chunk: int
) -> None:
    monkeypatch.setattr(order_body, "_CHUNK", chunk)
    text = base64.b64encode(VOICE).decode()
    escaped = text.replace(sign, escape)
    body = f'{{"scriptOrQuestion": "a cat", "audioBuffer": "data:audio\\/ogg;base64,{escaped}"}}'
    assert json.loads(body)["audioBuffer"].endswith(text)

    status, job_id = await send(caller, body)
    assert status == 200, job_id
    assert caller.bench.workspace.folder(job_id).attachment.read_bytes() == VOICE


@pytest.mark.parametrize(
    "text",
    ["T2dn\\u0055yBh", "T2dn\\nUyBh", "T2dnUyBh\\", "T2dn\\u002", "T2\\\\/nUyBh", "T2dn\\U002BUyB"],
)
async def test_audio_with_any_other_backslash_is_refused(caller: Caller, text: str) -> None:
    assert await send(caller, f'{{"scriptOrQuestion": "a", "audioBuffer": "{text}"}}') == (
        400,
        "api.bad_audio",
    )


async def test_escapes_do_not_count_towards_the_audio_limit(caller: Caller) -> None:
    slashes = MAX_AUDIO * 2 // 5 // 3 * 3
    voice = b"\xff" * slashes + bytes(MAX_AUDIO - slashes)
    text = base64.b64encode(voice).decode().replace("/", "\\/")

    status, job_id = await send(caller, f'{{"scriptOrQuestion": "a", "audioBuffer": "{text}"}}')
    assert status == 200, job_id
    assert caller.bench.workspace.folder(job_id).attachment.read_bytes() == voice


async def test_the_media_type_of_a_data_url_has_a_length_limit(caller: Caller) -> None:
    for kind, expected in (("a" * 80, 200), ("a" * 200, 400)):
        text = f"data:{kind};base64,{base64.b64encode(VOICE).decode()}"
        status, _ = await send(caller, json.dumps({**FORM, "audioBuffer": text}))
        assert status == expected

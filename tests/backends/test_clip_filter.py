from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.backends.transport.clip_filter import without_clips

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


async def arriving(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def kept(*chunks: bytes) -> bytes:
    return b"".join([chunk async for chunk in without_clips(arriving(chunks))])


ANSWER = b'{"id": "v1", "a": {"data": "AAAA", "n": 1}, "b": {"data" :\n "A\\/+=", "n": 2}}'
SHORT = b'{"id": "v1", "a": {"data": "", "n": 1}, "b": {"data" :\n "", "n": 2}}'


async def test_clips_are_removed_wherever_the_chunks_end() -> None:
    for size in range(1, len(ANSWER) + 1):
        chunks = [ANSWER[start : start + size] for start in range(0, len(ANSWER), size)]
        assert await kept(*chunks) == SHORT, size


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no JSON",
        b'{"data": [{"url": "https://cdn.example/v.mp4"}], "n": 1}',
        b'{"text": "say \\"data\\": \\"AAAA\\"", "n": 1}',
        b'{"a": "data", "b": "AAAA"}',
        b'{"metadata": "AAAA"}',
    ],
)
async def test_everything_else_is_unchanged(text: bytes) -> None:
    assert await kept(text) == text
    assert await kept(*(text[index : index + 1] for index in range(len(text)))) == text


async def test_a_clip_without_an_end_is_removed_too() -> None:
    assert await kept(b'{"data": "AA', b"A" * 1000) == b'{"data": "'

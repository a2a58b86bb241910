"""Files that are there whole, or not at all."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from bot.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from pathlib import Path
    from typing import ParamSpec, TypeVar

    _Params = ParamSpec("_Params")
    _Result = TypeVar("_Result")


class TooLargeError(MediaError):
    """A stream went on past the bytes that it may have."""


def part_of(target: Path) -> Path:
    """Return where a file is written until it is whole."""
    return target.with_name(f"{target.name}.part")


def commit(part: Path, target: Path) -> None:
    """Make the finished `part` become `target`, safe from a power cut (blocking)."""
    _sync(part)
    part.replace(target)
    _sync(target.parent)


async def run_uncancelled(
    work: Callable[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs
) -> _Result:
    """Do file work in a thread; a cancelled task waits for it, so that it can clean up after it."""
    thread = asyncio.create_task(asyncio.to_thread(work, *args, **kwargs), name="files.settled")
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        thread.exception()  # nobody else will look at it
        raise


async def save(chunks: AsyncIterable[bytes], target: Path, *, max_bytes: int) -> int:
    """Stream `chunks` into the file `target`, and return their bytes.

    The file appears when it is whole. TooLargeError: more than `max_bytes` came.
    """
    part = part_of(target)
    try:
        await run_uncancelled(part.write_bytes, b"")
        size = await _fill(part, chunks, max_bytes)
        await run_uncancelled(commit, part, target)
    except BaseException:
        await run_uncancelled(part.unlink, missing_ok=True)
        raise
    return size


async def _fill(part: Path, chunks: AsyncIterable[bytes], max_bytes: int) -> int:
    size = 0
    async for chunk in chunks:
        if size + len(chunk) > max_bytes:
            raise TooLargeError(f"more than {max_bytes} bytes came")
        await asyncio.to_thread(_write_at, part, size, chunk)
        size += len(chunk)
    return size


def _write_at(path: Path, offset: int, chunk: bytes) -> None:
    # Opened for each chunk: a cancelled task leaves no open file, and a write that outlives its
    # task can't bring the deleted part back.
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(chunk)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Writes files atomically: a file appears only once it is complete."""

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

# Chunks are collected up to this size before they are written. Each write runs in a thread, and
# handing a small chunk to a thread takes longer than writing it.
_WRITE_BYTES = 1024 * 1024


class TooLargeError(MediaError):
    """A stream has more bytes than are allowed."""


def part_of(target: Path) -> Path:
    """Return the path of the temporary file that becomes `target` once it is complete."""
    return target.with_name(f"{target.name}.part")


def commit(part: Path, target: Path) -> None:
    """Rename the finished file `part` to `target`, so that it survives a power cut.

    Blocks the thread.
    """
    _sync(part)
    part.replace(target)
    _sync(target.parent)


def make_private(folder: Path) -> None:
    """Create a folder that only the bot's user can read, unless it exists. Blocks the thread."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


async def run_uncancelled(
    work: Callable[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs
) -> _Result:
    """Run file operations in a thread. If the caller is cancelled, wait for the thread first.

    After that, the thread no longer changes files, so the caller can clean up.
    """
    thread = asyncio.create_task(asyncio.to_thread(work, *args, **kwargs), name="files.uncancelled")
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        thread.exception()  # otherwise, asyncio would log the exception as never retrieved
        raise


async def save(chunks: AsyncIterable[bytes], target: Path, *, max_bytes: int) -> int:
    """Stream `chunks` into the file `target`, and return its size in bytes.

    The file appears only once it is complete. Raises TooLargeError if `chunks` exceed `max_bytes`.
    """
    part = part_of(target)
    try:
        size, rest = await _fill(part, chunks, max_bytes)
        await run_uncancelled(_finish, part, target, size, rest)
    except BaseException:
        await run_uncancelled(part.unlink, missing_ok=True)
        raise
    return size + len(rest)


async def _fill(
    part: Path, chunks: AsyncIterable[bytes], max_bytes: int
) -> tuple[int, bytes | bytearray]:
    """Write `chunks` to `part`, and return the size of the file and the bytes still to write."""
    size, waiting = 0, bytearray()
    async for chunk in chunks:
        if size + len(waiting) + len(chunk) > max_bytes:
            raise TooLargeError(f"the stream exceeds {max_bytes} bytes")
        waiting += chunk
        if len(waiting) >= _WRITE_BYTES:
            await run_uncancelled(_write_at, part, size, waiting)
            size, waiting = size + len(waiting), bytearray()
    return size, waiting


def _finish(part: Path, target: Path, offset: int, rest: bytes | bytearray) -> None:
    _write_at(part, offset, rest)
    commit(part, target)


def _write_at(path: Path, offset: int, chunk: bytes | bytearray) -> None:
    # The file is opened anew for each chunk, so that a cancelled task leaves no file open.
    with path.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(chunk)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

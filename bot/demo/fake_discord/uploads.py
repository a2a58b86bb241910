"""Reads JSON and multipart bodies, and writes the files in them to disk."""

from __future__ import annotations

import asyncio
import hashlib
import json
import mimetypes
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader

from bot.demo.fake_discord.api_errors import NOT_JSON, TOO_LARGE, RefusedError, invalid_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aiohttp import web

CHUNK = 256 * 1024
JSON_LIMIT = 1024 * 1024
# The rest of a refused upload is read up to this size. Otherwise, the connection would be reset
# before the bot has read the response.
DRAIN_LIMIT = 1024 * 1024 * 1024
_FILE_FIELD = re.compile(r"files\[([0-9])\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that a user attaches.

    Like Discord, the fake Discord does not check whether `content_type` is correct.
    """

    filename: str
    content: bytes | Path
    content_type: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFile:
    """A file that was received.

    `index`: the number in the field name, such as 0 in `files[0]`. `size`: in bytes.
    """

    index: int
    filename: str
    content_type: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestBody:
    """The body of a request.

    `json`: the JSON body, or the field `payload_json` of a multipart body.
    `too_large`: whether a file exceeds the limit. The rest of such a file is not stored.
    """

    json: Any = None
    multipart: bool = False
    files: tuple[StoredFile, ...] = ()
    too_large: bool = False


class Uploads:
    """Reads the bodies of requests, and stores their files in `directory`.

    `limit` returns the maximum size of a file in bytes.
    """

    def __init__(self, directory: Path, limit: Callable[[], int]) -> None:
        self._directory = directory
        self._limit = limit
        self._count = 0

    async def read(self, request: web.Request) -> RequestBody:
        """Read the body of a request.

        Raises RefusedError if the body can't be parsed.
        """
        if request.content_type == "multipart/form-data":
            return await self._read_multipart(request)
        raw = await request.read()
        return RequestBody(json=_parse(raw) if raw else None)

    async def store(self, upload: Upload) -> StoredFile:
        """Store a file that a user attaches."""
        path = self._new_path(upload.filename)
        size, sha256 = await asyncio.to_thread(_copy, upload.content, path)
        kind = upload.content_type or _guess(upload.filename)
        return StoredFile(
            index=0,
            filename=upload.filename,
            content_type=kind,
            path=path,
            size=size,
            sha256=sha256,
        )

    async def _read_multipart(self, request: web.Request) -> RequestBody:
        payload: Any = None
        files: list[StoredFile] = []
        too_large = False
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise invalid_form("body", "nested multipart")
            match = _FILE_FIELD.fullmatch(part.name or "")
            if part.name == "payload_json":
                payload = _parse(await _bounded(part, JSON_LIMIT))
            elif match is None:
                raise invalid_form(part.name or "body", "unknown field")
            else:
                stored = await self._store_part(part, int(match[1]))
                too_large = too_large or stored.size > self._limit()
                files.append(stored)
        return RequestBody(json=payload, multipart=True, files=tuple(files), too_large=too_large)

    async def _store_part(self, field: BodyPartReader, index: int) -> StoredFile:
        filename = field.filename or "unknown"
        path = self._new_path(filename)
        digest, size, limit = hashlib.sha256(), 0, self._limit()
        with await asyncio.to_thread(path.open, "wb") as sink:
            while chunk := await field.read_chunk(CHUNK):
                size += len(chunk)
                if size > DRAIN_LIMIT:
                    raise RefusedError(TOO_LARGE)
                digest.update(chunk)
                if size <= limit:
                    await asyncio.to_thread(sink.write, chunk)
        return StoredFile(
            index=index,
            filename=filename,
            content_type=_guess(filename),
            path=path,
            size=size,
            sha256=digest.hexdigest(),
        )

    def _new_path(self, filename: str) -> Path:
        self._count += 1
        return self._directory / f"{self._count:04d}-{clean(filename)}"


def clean(filename: str) -> str:
    """Replace the same characters in a file name as Discord does."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", filename)[-100:].lstrip(".") or "unknown"


def _guess(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _parse(raw: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(raw)
    except ValueError:
        raise RefusedError(NOT_JSON) from None


async def _bounded(field: BodyPartReader, limit: int) -> bytes:
    raw = bytearray()
    while chunk := await field.read_chunk(CHUNK):
        raw += chunk
        if len(raw) > limit:
            raise RefusedError(TOO_LARGE)
    return bytes(raw)


def _copy(content: bytes | Path, path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as sink:
        for chunk in _chunks(content):
            digest.update(chunk)
            size += sink.write(chunk)
    return size, digest.hexdigest()


def _chunks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk

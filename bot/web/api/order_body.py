"""Reads the body of `POST /api/generate`: a form, or JSON that contains the audio in base64.

The audio is written to disk as it arrives, so it is never in memory as a whole.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import mmap
import re
from contextlib import nullcontext
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from aiohttp import BodyPartReader

from bot.errors import UserError
from bot.media.files.atomic import TooLargeError, save
from bot.web.api.form_body import open_form
from bot.web.http.error_response import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp import web

    from bot.api_clients.audio_upload import AudioUpload
    from bot.api_clients.client_jobs import ClientJobs

SCRIPT, AUDIO, VERSION = "scriptOrQuestion", "audioBuffer", "renderVersion"
SEND_VOICE = "sendVoice"
_FIELDS = frozenset({SCRIPT, AUDIO, VERSION, SEND_VOICE})
# JSON has the values themselves, and a form has their names.
_ANSWERS = {True: True, False: False, "true": True, "false": False}
_ONLY_VERSION = "v3"
_TEXT_BYTES = 64 * 1024
_CHUNK = 256 * 1024
_READ_SECONDS = 300.0  # enough for the largest audio file over a slow connection
# The repetitions are limited, because no other task can run while `re` searches.
_AUDIO = re.compile(rb'"audioBuffer"\s{0,100}:\s{0,100}"(?:data:[\w/+.;=\\-]{0,100},)?')
# JSON may escape these characters of base64. Any other escape can't be part of base64.
_ESCAPED = {rb"\/": b"/", rb"\u002f": b"/", rb"\u002b": b"+", rb"\u003d": b"="}
_ESCAPE = re.compile(rb"\\(?:/|u00(?:2[fFbB]|3[dD]))")
_HALF_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoOrder:
    """An order for a video. Its audio has already been written to disk."""

    script: str
    upload: AudioUpload | None


class OrderReader:
    """Reads orders, and deletes the audio of orders that are refused."""

    def __init__(self, clients: ClientJobs, *, max_audio_bytes: int) -> None:
        self._clients = clients
        self._max_audio_bytes = max_audio_bytes

    async def read(self, request: web.Request, client: str, *, key: str | None) -> VideoOrder:
        """Read an order from the body of a request.

        A body of a size that only audio can have is not read unless the client may currently
        upload audio.

        Raises ApiError or UserError if the order is invalid.
        """
        check_version(request.query.get(VERSION))
        for name in request.query:
            if name != VERSION:
                raise ApiError(HTTPStatus.BAD_REQUEST, "api.unknown_field", field=name[:50])
        read = {"application/json": self._read_json, "multipart/form-data": self._read_form}.get(
            request.content_type
        )
        if read is None:
            raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "api.body_kind")
        length = request.content_length
        is_upload = length is None or length > _TEXT_BYTES
        try:
            async with (
                self._clients.upload(client, key=key) if is_upload else nullcontext(),
                asyncio.timeout(_READ_SECONDS),
            ):
                return await read(request)
        except TimeoutError:
            raise ApiError(HTTPStatus.REQUEST_TIMEOUT, "api.too_slow") from None

    async def _read_form(self, request: web.Request) -> VideoOrder:
        fields: dict[str, str] = {}
        uploads: list[AudioUpload] = []
        try:
            async for part in open_form(request):
                await self._read_part(part, fields, uploads)
            return _order(fields, uploads[0] if uploads else None)
        except BaseException as error:
            for upload in uploads:
                await self._clients.delete_upload(upload)
            # aiohttp raises ValueError if the form is malformed.
            if isinstance(error, ValueError):
                raise ApiError(HTTPStatus.BAD_REQUEST, "api.bad_request") from error
            raise

    async def _read_part(
        self, part: object, fields: dict[str, str], uploads: list[AudioUpload]
    ) -> None:
        name = part.name if isinstance(part, BodyPartReader) else None
        if not isinstance(part, BodyPartReader) or name not in _FIELDS:
            raise ApiError(HTTPStatus.BAD_REQUEST, "api.unknown_field", field=(name or "-")[:50])
        if name in fields or (name == AUDIO and uploads):
            raise ApiError(HTTPStatus.BAD_REQUEST, "api.field_twice", field=name)
        if name == AUDIO:
            filename = part.filename or AUDIO
            uploads.append(await self._clients.receive_audio(_chunks(part), filename=filename))
        else:
            fields[name] = await _text(part)

    async def _read_json(self, request: web.Request) -> VideoOrder:
        # Base64 makes the audio a third larger, and JSON escapes add a little. The other fields are
        # texts.
        max_bytes = self._max_audio_bytes * 3 // 2 + _TEXT_BYTES
        async with self._clients.temporary_file() as path:
            try:
                await save(request.content.iter_chunked(_CHUNK), path, max_bytes=max_bytes)
            except TooLargeError:
                raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "api.too_large") from None
            fields, span = await asyncio.to_thread(_split, path)
            order = _order(fields, None)
            if span is None:
                return order
            upload = await self._clients.receive_audio(_decoded(path, span), filename=AUDIO)
            return replace(order, upload=replace(upload, sends_voice=_sends_voice(fields)))


def check_version(version: object) -> None:
    """Check the version of the renderer that a request asks for.

    Raises ApiError if the version is not supported.
    """
    if version is not None and version != _ONLY_VERSION:
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.render_version")


def _order(fields: dict[str, Any], upload: AudioUpload | None) -> VideoOrder:
    for name in fields:
        if name not in _FIELDS:
            raise ApiError(HTTPStatus.BAD_REQUEST, "api.unknown_field", field=name[:50])
    check_version(fields.get(VERSION))
    script = fields.get(SCRIPT)
    if not isinstance(script, str):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.no_script")
    sends_voice = _sends_voice(fields)
    return VideoOrder(script=script, upload=upload and replace(upload, sends_voice=sends_voice))


def _sends_voice(fields: dict[str, Any]) -> bool:
    answer = fields.get(SEND_VOICE, False)
    if not isinstance(answer, bool | str) or answer not in _ANSWERS:
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.send_voice")
    return _ANSWERS[answer]


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK):
        yield bytes(chunk)


async def _text(part: BodyPartReader) -> str:
    content = b""
    async for chunk in _chunks(part):
        content += chunk
        if len(content) > _TEXT_BYTES:
            raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "api.too_large")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.bad_text") from None


def _split(path: Path) -> tuple[dict[str, Any], tuple[int, int] | None]:
    """Return the fields of a JSON body without the audio, and the position of the audio's base64.

    Reads the file, and so blocks the event loop.
    """
    if not path.stat().st_size:
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.not_json")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        found = _AUDIO.search(text)
        span = None
        if found is not None:
            # Base64 contains no quotation marks, so the next quotation mark ends the audio.
            span = found.end(), text.find(b'"', found.end())
        rest = len(text) - (span[1] - span[0] if span else 0)
        if span is not None and span[1] < 0:
            raise ApiError(HTTPStatus.BAD_REQUEST, "api.not_json")
        if rest > _TEXT_BYTES:
            raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "api.too_large")
        without_audio = text[:] if span is None else text[: span[0]] + text[span[1] :]
    fields = _fields(without_audio)
    given = fields.pop(AUDIO, None)
    if given is not None and span is None:
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.bad_audio")
    return fields, span


def _fields(text: bytes) -> dict[str, Any]:
    try:
        fields: object = json.loads(text, object_pairs_hook=_reject_duplicates)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.not_json")
    return cast("dict[str, Any]", fields)


def _reject_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.field_twice", field="")
    return fields


async def _decoded(path: Path, span: tuple[int, int]) -> AsyncIterator[bytes]:
    start, end = span
    escaped, rest = b"", b""
    for position in range(start, end, _CHUNK):
        escaped += await asyncio.to_thread(_slice, path, position, min(position + _CHUNK, end))
        plain, escaped = _unescape(escaped)
        rest += plain
        whole = len(rest) // 4 * 4
        yield _from_base64(rest[:whole])
        rest = rest[whole:]
    # An incomplete escape at the end is not valid base64, so decoding raises an error.
    yield _from_base64(rest + escaped)


def _unescape(text: bytes) -> tuple[bytes, bytes]:
    """Replace JSON's escapes in a part of a text.

    Returns the result and, separately, an incomplete escape from the end of the part, or b"".
    """
    half = _HALF_ESCAPE.search(text)
    whole = half.start() if half else len(text)
    return _ESCAPE.sub(lambda found: _ESCAPED[found[0].lower()], text[:whole]), text[whole:]


def _slice(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise UserError("api.bad_audio") from None

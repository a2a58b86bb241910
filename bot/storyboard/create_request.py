"""Parses requests to create a video, and refuses orders that can't be rendered."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, cast

from bot.errors import ClapperError
from bot.presets import is_visible
from bot.storyboard.clip_store import ClipOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

_MAX_PROMPT_LENGTH = 32_000
_MAX_MODEL_LENGTH = 255
_MAX_SIZE_LENGTH = 20
_SECONDS = range(1, 61)
_SIDE = range(64, 2049)
_MAX_PIXELS = 1920 * 1080
_DEFAULT_MODEL = "storyboard"
_DEFAULT_SECONDS = "4"
_DEFAULT_SIZE = "720x1280"


class CreateError(ClapperError):
    """A refusal of a request.

    `param`: the field that is invalid, or None.
    `retry_after`: the seconds after which a retry makes sense, or None.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retry_after = retry_after


async def read_order(request: web.Request) -> ClipOrder:
    """Read an order from the body of a request, which is JSON, multipart or a form.

    Raises CreateError if the body is malformed or the order can't be rendered.
    """
    fields = await _fields(request)
    if fields.get("input_reference") is not None:
        raise CreateError(
            400, "The storyboard draws from the prompt alone.", param="input_reference"
        )
    return ClipOrder(
        prompt=_prompt(fields),
        model=_text(fields, "model", _DEFAULT_MODEL, _MAX_MODEL_LENGTH),
        seconds=_seconds(fields),
        size=_size(fields),
    )


async def _fields(request: web.Request) -> Mapping[str, object]:
    if request.content_type != "application/json":
        try:
            return await request.post()
        except ValueError:
            raise CreateError(400, "The form can't be read.") from None
    try:
        fields: object = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise CreateError(400, "The body is not JSON.") from None
    if not isinstance(fields, dict):
        raise CreateError(400, "The body is not a JSON object.")
    return cast("dict[str, object]", fields)


def _prompt(fields: Mapping[str, object]) -> str:
    prompt = _text(fields, "prompt", "", _MAX_PROMPT_LENGTH)
    if not any(map(is_visible, prompt)):
        raise CreateError(
            400, "A prompt is needed.", code="missing_required_parameter", param="prompt"
        )
    return prompt


def _text(fields: Mapping[str, object], name: str, default: str, max_length: int) -> str:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > max_length:
        raise _refusal(name, f"text of at most {max_length} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _refusal(name, "well-formed Unicode") from None
    return value


def _seconds(fields: Mapping[str, object]) -> int:
    given = fields.get("seconds")
    value = _DEFAULT_SECONDS if given is None else str(given)
    if not re.fullmatch(r"[0-9]{1,3}", value) or int(value) not in _SECONDS:
        raise _refusal("seconds", f"a whole number from {_SECONDS[0]} to {_SECONDS[-1]}")
    return int(value)


def _size(fields: Mapping[str, object]) -> str:
    return check_size(_text(fields, "size", _DEFAULT_SIZE, _MAX_SIZE_LENGTH))


def check_size(value: str) -> str:
    """Return a size in the form WIDTHxHEIGHT, without leading zeros.

    Raises CreateError if the size is malformed or can't be rendered.
    """
    match = re.fullmatch(r"([0-9]{2,4})x([0-9]{2,4})", value)
    sides = [int(side) for side in match.groups()] if match else []
    if not sides or any(side not in _SIDE or side % 2 for side in sides):
        raise _refusal("size", f"WIDTHxHEIGHT, even numbers from {_SIDE[0]} to {_SIDE[-1]}")
    if math.prod(sides) > _MAX_PIXELS:
        raise _refusal("size", f"at most {_MAX_PIXELS} pixels")
    return "x".join(map(str, sides))


def _refusal(name: str, wanted: str) -> CreateError:
    return CreateError(400, f"`{name}` has to be {wanted}.", code="invalid_value", param=name)

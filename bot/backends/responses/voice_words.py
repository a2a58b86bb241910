"""Tells by a response's words whether a create request was refused because of its sound.

Each row of the table has its source. The patterns are searched for in the strings of a response,
and in the names of the fields that the response blames. Case is ignored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from bot.backends.responses.error_text import texts_in
from bot.errors import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.errors import BackendError

_REFUSED_SOUNDS: Mapping[str, tuple[str, ...]] = {
    # vllm_omni 0.30.0, entrypoints/openai/video_api_utils.py and video/generation/helpers.py
    "vLLM-Omni": (r"\baudio_reference\b|reference audio must",),
    # starlette 1.10, formparsers.py: only the sound is long enough for this error
    "Starlette": (r"part exceeded maximum size",),
    # openrouter 1.3.84, components/videogenerationrequest.py
    "OpenRouter": (r"\binput_references\b",),
    # docs.volcengine.com/docs/82379/1520757, and openstory-so/openstory#1558
    "Volcengine, BytePlus": (r"\breference[ _]audio\b|\baudio_url\b|\breference media\b",),
    "several": (
        r"\baudio(?:[ _-]\w+){0,6}[ _](?:not|un)[ _-]?(?:supported|accepted|allowed|valid)",
        r"\baudio(?:[ _-]\w+){0,4}[ _](?:must|exceeds?|too (?:long|large|short)|is invalid)",
        r"(?:invalid|unsupported|download|fetch|load|decode|read)(?: \w+){0,3} audio\b",
        r"(?:does not|doesn't|cannot|can't)(?: \w+){0,3} audio (?:input|reference|file)",
    ),
}
_WORDS = re.compile(
    "|".join(f"(?:{row})" for rows in _REFUSED_SOUNDS.values() for row in rows), re.IGNORECASE
)
# After a refusal of one of these kinds, the order is sent again without the sound. If the provider
# refuses what is said, or every order, it would also refuse the order without the sound.
_KINDS = frozenset({ErrorKind.INVALID, ErrorKind.UNEXPLAINED})
_TOO_LARGE = 413
_FIELD_NAMES = frozenset({"loc", "param", "path", "field"})
_MAX_DEPTH = 4
_MAX_CHARACTERS = 4000


def blames_sound(error: BackendError, status: int, answer: object, *, prompt: str) -> bool:
    """Tell whether a provider has clearly refused a create request because of its sound.

    `prompt`: the prompt of the request. If the response repeats the prompt, the repetition is
    ignored.
    """
    if error.kind not in _KINDS:
        return False
    if status == _TOO_LARGE:  # without the sound, the request is small
        return True
    text = " ".join((*texts_in(answer), *_blamed_fields(answer, _MAX_DEPTH)))
    return _WORDS.search(text.replace(prompt or "\0", " ")[:_MAX_CHARACTERS]) is not None


def _blamed_fields(value: object, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _blamed_fields(item, depth - 1)
    elif isinstance(value, dict):
        for name, item in cast("Mapping[str, object]", value).items():
            if name in _FIELD_NAMES:
                yield str(item)
            else:
                yield from _blamed_fields(item, depth - 1)

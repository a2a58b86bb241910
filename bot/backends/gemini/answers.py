"""Converts Gemini's responses to the fields of OpenAI's Videos API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_CONTENTS = 1000
_MAX_TEXT = 300
_GOOGLE = "https://generativelanguage.googleapis.com/"
_FILE_NAME = re.compile(r"files/[^/:?#]+")
_FILE_PATH = re.compile(r"(/[^?#]*/files/[^/:?#]+)(?::download)?(?:\?[^#]*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class GeminiAnswers:
    """Converts the responses of the server at `base_url`."""

    base_url: str

    def __call__(self, answer: object) -> object:
        """Add the fields `url` and `error` to an interaction.

        Any other response is returned unchanged.
        """
        fields = _mapping(answer)
        if not fields.keys() & {"steps", "outputs", "output_video", "errors"}:
            return answer
        video = next((content for content in _contents(fields) if _is_video(content)), None)
        url = self._address(video.get("uri")) if video else None
        added: dict[str, object] = {"url": url} if url else {}
        if fields.get("errors") and not fields.get("error"):
            added["error"] = fields["errors"]
        if video is None and fields.get("status") == "completed" and fields.get("steps"):
            # The model has responded with a text instead of a video.
            added |= {"status": "failed", "error": {"message": _text_in(fields)}}
        return {**fields, **added}

    def _address(self, uri: object) -> str | None:
        if not isinstance(uri, str):
            return None
        if _FILE_NAME.match(uri):
            return f"{self.base_url}/v1/{uri}"
        # A gateway may serve the files itself, but leave Google's address in its responses.
        return f"{self.base_url}/{uri.removeprefix(_GOOGLE)}" if uri.startswith(_GOOGLE) else uri


def file_in(path: str) -> tuple[str, str] | None:
    """Return the paths of a stored file's metadata and content.

    Returns None if `path` isn't that of a stored file.
    """
    match = _FILE_PATH.fullmatch(path)
    return (match[1], f"{match[1]}:download?alt=media") if match else None


def file_state_in(answer: object) -> str:
    """Return the state of a stored file: PROCESSING, ACTIVE, FAILED, or "" if it is missing."""
    return str(_mapping(answer).get("state", "")).upper()


def _contents(fields: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    yield _mapping(fields.get("output_video"))
    for step in _steps(fields):
        yield from _items(step.get("content"))
    yield from _items(fields.get("outputs"))


def _steps(fields: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    return (step for step in _items(fields.get("steps")) if step.get("type") != "user_input")


def _is_video(content: Mapping[str, object]) -> bool:
    is_video = content.get("type") == "video" or str(content.get("mime_type")).startswith("video/")
    return is_video and ("uri" in content or "data" in content)


def _text_in(fields: Mapping[str, object]) -> str:
    texts = (content.get("text") for content in _contents(fields))
    joined = " ".join(text for text in texts if isinstance(text, str))
    return joined[:_MAX_TEXT] or "the answer holds no video"


def _items(value: object) -> Iterator[Mapping[str, object]]:
    found = cast("list[object]", value) if isinstance(value, list) else []
    return (_mapping(item) for item in islice(found, _MAX_CONTENTS))


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}

"""Finds the link to a finished video in a provider's response.

Only the fields that are named in this module are followed, from the outermost ones inwards. Links
to input files, images, audio files, posters, callbacks or status pages are therefore never mistaken
for the video.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INLINE = "data:"
"""This value stands for a link if the response itself contains the video as base64."""

# Field names are compared in lower case and without underscores, so `videoUrl` equals `video_url`.
# They are tried in this order, the most reliable names first.
LINKS: Mapping[str, str] = {
    "videourl": "Ark, DashScope, xAI, most gateways",
    "videouri": "Google's SDKs",
    "videourls": "several",
    "url": "Videos API servers, fal, Vidu, xAI",
    "uri": "Google",
    "urls": "several",
    "resulturl": "PiAPI, kie, newer gateways",
    "resulturls": "kie",
    "resultvideourl": "Tencent",
    "downloadurl": "MiniMax",
    "downloaduri": "Google",
    "outputurl": "Hedra, WaveSpeed",
    "outputurls": "several",
    "mp4url": "Leonardo",
    "mediaurl": "several",
    "fileurl": "several",
    "playurl": "several",
    "signedurl": "several",
    "presignedurl": "several",
    "assetlink": "several",
    "download": "several",
    "src": "several",
}
HOLDERS: Mapping[str, str] = {
    "video": "fal, xAI, Luma's assets",
    "videos": "Kling, Google",
    "videoresult": "Zhipu",
    "videoresource": "several",
    "output": "DashScope, Replicate, Runway, RunPod",
    "outputs": "WaveSpeed, ComfyUI",
    "result": "several",
    "results": "several",
    "taskresult": "Kling",
    "data": "OpenAI's images, Dynamo, gateways",
    "content": "Ark",
    "response": "Google, kie",
    "generatevideoresponse": "Google",
    "generatedsamples": "Google",
    "generatedvideos": "Google's SDKs",
    "resultjson": "kie",
    "assets": "Luma",
    "asset": "several",
    "links": "several",
    "creations": "Vidu",
    "works": "Kling's web API",
    "resource": "Kling's web API",
    "generation": "several",
    "generations": "Leonardo, LTX",
    "artifacts": "several",
    "file": "MiniMax",
    "files": "several",
    "media": "several",
    "metadata": "new-api",
    "task": "Novita",
    "job": "several",
    "payload": "several",
}
# These fields contain the video itself. Their values may have been removed.
_BASE64 = frozenset({"b64json", "videobase64", "base64", "b64", "videob64"})
_SEARCHED = (*LINKS, *HOLDERS, *sorted(_BASE64))
_DATA_URI = re.compile(
    r"data:(?:video/|image/gif|application/(?:octet-stream|mp4)|;base64)", re.IGNORECASE
)
_OTHER_FILES = re.compile(
    r"\.(?:jpe?g|png|webp|svg|bmp|heic|avif|mp3|wav|m4a|ogg|flac|json|txt|vtt|srt|html?|m3u8|zip)"
    r"(?:[?#]|$)",
    re.IGNORECASE,
)
# A path without the file extension of a video may be the path of the job itself.
_PATH = re.compile(
    r"//?[^/\s]\S*(?:\.(?:mp4|webm|mov|mkv|gif|m4v)|/content)(?:\?\S*)?", re.IGNORECASE
)
_MAX_QUOTED = 64 * 1024
_KINDS = ("type", "mime_type", "mimeType", "content_type", "media_type", "kind")
_OTHER_KINDS = ("image", "audio", "text", "thumbnail", "poster", "cover", "input")
_OTHER_ROLES = ("reference", "input", "first", "last", "user")
_MAX_DEPTH = 10
_MAX_VISITED = 5000
_MAX_ITEMS = 200


def find_link(value: object) -> str | None:
    """Return the URL of the video, or its path at the server, such as "/files/1.mp4".

    Returns INLINE if the response itself contains the video, and None if there is no video.
    """
    if not value:
        return None
    found = (_link(name, text) for name, text in texts_of_clips(value))
    return next(filter(None, found), None)


def texts_of_clips(value: object) -> Iterator[tuple[str, str]]:
    """Yield the strings that may be a video or a link to one, each with the name of its field."""
    visited = islice(_visited("", value, _MAX_DEPTH), _MAX_VISITED)
    return ((name, text) for name, text in visited if name and text is not None)


def is_data_uri(text: str) -> bool:
    """Tell whether a string begins like the data URI of a video."""
    return _DATA_URI.match(text) is not None


def _link(name: str, text: str) -> str | None:
    if name in _BASE64 or is_data_uri(text):
        return INLINE
    is_web = text.lower().startswith(("http://", "https://")) or _PATH.fullmatch(text) is not None
    return text if is_web and not _OTHER_FILES.search(text.partition("?")[0]) else None


def _visited(name: str, value: object, depth: int) -> Iterator[tuple[str, str | None]]:
    """Yield a value and everything in it.

    Values that can't be links are included, so that the caller's limit counts them too.
    """
    yield name, value.strip() if isinstance(value, str) else None
    if depth > 0 and isinstance(value, list):
        for item in islice(cast("list[object]", value), _MAX_ITEMS):
            yield from _visited(name, item, depth - 1)
    elif depth > 0 and isinstance(value, str) and value[:_MAX_QUOTED].lstrip().startswith("{"):
        yield from _visited(name, _quoted(value), depth - 1)
    elif depth > 0 and isinstance(value, dict):
        fields = cast("Mapping[str, object]", value)
        if not _is_something_else(fields):
            yield from _visited_in(fields, depth - 1)


def _visited_in(fields: Mapping[str, object], depth: int) -> Iterator[tuple[str, str | None]]:
    named = {_plain(name): value for name, value in islice(fields.items(), _MAX_ITEMS)}
    for name in _SEARCHED:
        if name in named:
            yield from _visited(name, named[name], depth)


def _quoted(text: str) -> object:
    """Parse JSON that is inside a string, as in kie's `resultJson`.

    Returns None if the string isn't JSON.
    """
    try:
        return cast("object", json.loads(text)) if len(text) <= _MAX_QUOTED else None
    except (ValueError, RecursionError):
        return None


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _is_something_else(fields: Mapping[str, object]) -> bool:
    kinds = [str(fields.get(name, "")).lower() for name in _KINDS]
    role = str(fields.get("role", "")).lower()
    return any(
        kind.startswith(_OTHER_KINDS) and kind != "image/gif" for kind in kinds
    ) or role.startswith(_OTHER_ROLES)

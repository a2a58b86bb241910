"""Reads the values of a submitted form. The data may be malformed."""

from __future__ import annotations

from typing import cast

from bot.model import Attachment

_MAX_ROWS = 40
_MAX_URL = 2048
_MAX_FILENAME = 255


def text_in(data: object, name: str) -> str:
    """Return the text in the field `name`, or "" if there is none."""
    text = _entry(_field(data, name), "value")
    return text if isinstance(text, str) else ""


def is_ticked(data: object, name: str) -> bool:
    """Tell whether the checkbox `name` was ticked."""
    return _entry(_field(data, name), "value") is True


def file_in(data: object, name: str) -> Attachment | None:
    """Return the first file in the field `name`, or None if there is none."""
    files = _entry(_entry(data, "resolved"), "attachments")
    for key in _entries(_field(data, name), "values")[:1]:
        match _entry(files, str(key)):
            case {"url": str(url), "filename": str(filename), "size": int(size)} if (
                len(url) <= _MAX_URL and size >= 0
            ):
                return Attachment(url=url, filename=filename[:_MAX_FILENAME], size=size)
            case _:
                pass
    return None


def _field(data: object, name: str) -> object:
    for row in _entries(data, "components")[:_MAX_ROWS]:
        field = _entry(row, "component")
        if _entry(field, "custom_id") == name:
            return field
    return None


def _entry(data: object, key: str) -> object:
    return cast("dict[str, object]", data).get(key) if isinstance(data, dict) else None


def _entries(data: object, key: str) -> list[object]:
    found = _entry(data, key)
    return cast("list[object]", found) if isinstance(found, list) else []

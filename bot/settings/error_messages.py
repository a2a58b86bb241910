"""Explains why settings are invalid. Each sentence names the value and the allowed values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_MAX_SHOWN_CHARACTERS = 40
# The values of these settings can be long, or can contain a secret.
_NOT_SHOWN = frozenset({"openai_extra"})


def error_sentences(error: ValidationError, fields: Mapping[str, FieldInfo]) -> dict[str, str]:
    """Return an error message for each invalid setting, keyed by the setting's field name.

    The messages are to be appended to the setting's name. They never quote secrets.
    """
    return {
        str(each["loc"][0]): _sentence(each, fields) for each in error.errors(include_url=False)
    }


def _sentence(error: ErrorDetails, fields: Mapping[str, FieldInfo]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    name = str(error["loc"][0])
    if error["type"] != "value_error":
        message = f"is not valid: use {describe_allowed(fields[name]) or 'another value'}"
    quoted = _quoted(name, error["input"], fields[name])
    return f": {quoted}{message} (see .env.example)."


def describe_allowed(field: FieldInfo) -> str:
    """Describe the values that a setting allows.

    Returns "" if the setting allows every value of its type.
    """
    if choices := _choices(field.annotation):
        return _either(choices)
    if longest := _bound(field, "max_length"):
        shortest = _bound(field, "min_length")
        return (
            f"{shortest} to {longest} characters" if shortest else f"at most {longest} characters"
        )
    is_whole = int in {field.annotation, *get_args(field.annotation)}
    noun = "a whole number" if is_whole else "a number"
    if above := _bound(field, "gt"):
        return f"{noun} above {above}"
    least = _bound(field, "ge")
    return f"{noun} from {least} to {_bound(field, 'le')}" if least else ""


def _bound(field: FieldInfo, name: str) -> str:
    constraints: list[object] = field.metadata
    return next((str(getattr(each, name)) for each in constraints if hasattr(each, name)), "")


def _choices(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _either(choices: Iterable[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}"


def _quoted(name: str, value: object, field: FieldInfo) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    if field.annotation is SecretStr or name in _NOT_SHOWN or "@" in text:
        return ""
    if len(text) >= _MAX_SHOWN_CHARACTERS:
        text = f"{text[: _MAX_SHOWN_CHARACTERS - 1]}…"
    return f'"{text}" '

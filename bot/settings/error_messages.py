"""Says in plain words why a setting was refused: what it is called, what it got, what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_MOST_CHARACTERS = 40
# A value of these can be long, or hold a secret.
_NOT_SHOWN = frozenset({"openai_extra"})


def sentences(error: ValidationError, fields: Mapping[str, FieldInfo]) -> dict[str, str]:
    """Say of each setting that is wrong what follows its name; no secret is repeated."""
    return {
        str(each["loc"][0]): _sentence(each, fields) for each in error.errors(include_url=False)
    }


def _sentence(error: ErrorDetails, fields: Mapping[str, FieldInfo]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    name = str(error["loc"][0])
    if error["type"] != "value_error":
        message = f"won't do: it takes {takes(fields[name]) or 'something else'}"
    got = _shown(name, error["input"], fields[name])
    return f": {got}{message} (see .env.example)."


def takes(field: FieldInfo) -> str:
    """Say what a setting takes; "": anything, as far as its type goes."""
    if choices := _choices(field.annotation):
        return _either(choices)
    if longest := _bound(field, "max_length"):
        return f"{_bound(field, 'min_length')} to {longest} characters"
    noun = "a whole number" if field.annotation is int else "a number"
    if above := _bound(field, "gt"):
        return f"{noun} above {above}"
    least = _bound(field, "ge")
    return f"{noun} from {least} to {_bound(field, 'le')}" if least else ""


def _bound(field: FieldInfo, name: str) -> str:
    admission: list[object] = field.metadata
    return next((str(getattr(bound, name)) for bound in admission if hasattr(bound, name)), "")


def _choices(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401 - of any type
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _either(choices: Iterable[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}"


def _shown(name: str, value: object, field: FieldInfo) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    if field.annotation is SecretStr or name in _NOT_SHOWN or "@" in text:
        return ""
    return f'"{text if len(text) < _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"}" '

"""The types of settings: what each may hold, and what is said of what it may not."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Annotated, Literal, NoReturn, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

_SECRET_CHARACTERS = 16
_PREFIX = "whsec_"
_SAID_ALREADY = frozenset({"prompt", "model", "seconds", "size"})
_CLIENT = re.compile(r"[\w-]{1,64}", re.ASCII)
ONLY_CLIENT = "api"  # what the one token is called that has no name
_SIZE = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})")


def _url(value: str) -> str:
    value = value.strip().rstrip("/")
    if value and not _is_whole(value):
        raise ValueError("is not a URL: write it like https://example.org")
    if "?" in value or "#" in value:
        raise ValueError("must end with the path: leave out what follows ? or #")
    return value


def _is_whole(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Asking for the port raises where it is no number, or too large a one.
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _size(value: str) -> str:
    match = _SIZE.fullmatch(value)
    if match is None or int(match[1]) % 2 or int(match[2]) % 2:
        raise ValueError("must be WIDTHxHEIGHT in even numbers of pixels, like 1280x720")
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _header_safe(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not _is_plain(secret):
        raise ValueError("holds a blank or a strange character: copy it anew")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < _SECRET_CHARACTERS:
        raise ValueError(f"must have {_SECRET_CHARACTERS} characters or more, or be empty")
    return value


def _can_be_keys(value: SecretStr) -> SecretStr:
    for secret in parts(value):
        if secret == _PREFIX or not secret.isprintable():
            raise ValueError(f"holds no key: copy all of it, also what follows {_PREFIX}")
    return value


def _api_tokens(value: SecretStr) -> SecretStr:
    names: set[str] = set()
    for part in parts(value):
        name, colon, token = part.rpartition(":")
        if not _CLIENT.fullmatch(name if colon else ONLY_CLIENT):
            raise ValueError("names its tokens by letters and digits: write it like web:TOKEN")
        if name in names:
            raise ValueError("holds two tokens without different names: write it like web:TOKEN")
        if len(token) < _SECRET_CHARACTERS or not _is_plain(token):
            raise ValueError(f"takes tokens of {_SECRET_CHARACTERS} plain characters or more")
        names.add(name)
    return value


def parts(value: SecretStr) -> tuple[str, ...]:
    """Return what stands in a secret, with commas between."""
    return listed(value.get_secret_value())


def listed(value: str) -> tuple[str, ...]:
    """Return what stands in a value, with commas between."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _origins(value: str) -> str:
    for origin in listed(value):
        if not _url(origin) or urlsplit(origin).path.strip("/"):
            raise ValueError("takes addresses without a path, like http://10.0.0.2:9000")
    return value


def _networks(value: str) -> str:
    for network in listed(value):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise ValueError("takes addresses and networks, like 172.17.0.1,10.0.0.0/8") from None
    return value


def _extra(value: str) -> str:
    try:
        fields: object = json.loads(value or "{}", parse_constant=_not_json)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ValueError('is not a JSON object: write it like {"fps": 24, "seed": 7}')  # noqa: TRY004 - pydantic's
    extra = cast("dict[str, object]", fields)
    if said := sorted(_SAID_ALREADY & extra.keys()):
        raise ValueError(f"may not hold {said[0]}: the command and the VIDEO_ settings say that")
    if None in extra.values():
        raise ValueError("may not hold null: leave that field out")
    return value


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)


Url = Annotated[str, AfterValidator(_url)]
Size = Annotated[str, AfterValidator(_size)]
Origins = Annotated[str, AfterValidator(_origins)]
Networks = Annotated[str, AfterValidator(_networks)]
ExtraFields = Annotated[str, AfterValidator(_extra)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
Key = Annotated[SecretStr, AfterValidator(_header_safe)]
LongKey = Annotated[SecretStr, AfterValidator(_long_enough)]
BearerToken = Annotated[Key, AfterValidator(_long_enough)]
SigningKeys = Annotated[SecretStr, AfterValidator(_can_be_keys)]
ApiTokens = Annotated[SecretStr, AfterValidator(_api_tokens)]

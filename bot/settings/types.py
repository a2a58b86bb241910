"""Defines the types of the settings. Each rejects invalid values with an error message."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, Literal, NoReturn, cast
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

_MIN_SECRET_CHARACTERS = 16
_MIN_KEY_BYTES = 16
_SIGNING_PREFIX = "whsec_"
_RESERVED_FIELDS = frozenset({"prompt", "model", "seconds", "size"})
_CLIENT_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)
DEFAULT_CLIENT = "api"  # the name of the client whose token has no name
OWNER_CLIENT = "bot-owner"  # the name of the owner in the sessions of the owner's page
_ID = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_ROLE_CAP = re.compile(r"(booster|\d{1,20}):(\d{1,6})", re.ASCII)
BOOSTER = "booster"  # the key for people who boost a server
_LENGTH = re.compile(r"[1-9]\d{0,3}", re.ASCII)
MAX_CLIP_SECONDS = 60
_STORE_URL = re.compile(r"(s3|gs|az)://[A-Za-z0-9][\w.-]{0,254}(/[\w.-]+)*", re.ASCII)
_SIZE = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})")


def _url(value: str) -> str:
    value = value.strip().rstrip("/")
    if value and not _is_http_url(value):
        raise ValueError("is not a URL: write it like https://example.org")
    if "?" in value or "#" in value:
        raise ValueError("must end with the path: remove ? or # and all that follows")
    return value


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading `port` raises ValueError if the port is not a valid number.
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _store_url(value: str) -> str:
    value = value.strip().rstrip("/")
    if value and not _STORE_URL.fullmatch(value):
        raise ValueError("is not the address of a bucket: write it like s3://bucket/prefix")
    return value


def _size(value: str) -> str:
    match = _SIZE.fullmatch(value)
    if match is None or int(match[1]) % 2 or int(match[2]) % 2:
        raise ValueError("must be WIDTHxHEIGHT in even numbers of pixels, like 1280x720")
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lengths(value: str) -> str:
    parts = split_list(value)
    if not all(_LENGTH.fullmatch(part) and int(part) <= MAX_CLIP_SECONDS for part in parts):
        raise ValueError(
            f"needs whole numbers of seconds from 1 to {MAX_CLIP_SECONDS}, separated by commas: "
            "write it like 4,8,12"
        )
    return value


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _header_safe(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not _is_plain(secret):
        raise ValueError("contains a space or an invalid character: copy it again")
    return value


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line, without control characters")
    return value.strip()


def _long_enough(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < _MIN_SECRET_CHARACTERS:
        raise ValueError(f"must have {_MIN_SECRET_CHARACTERS} characters or more, or be empty")
    return value


def _signing_keys(value: SecretStr) -> SecretStr:
    for secret in split_secret(value):
        bare = secret.removeprefix(_SIGNING_PREFIX)
        if not bare or not secret.isprintable():
            raise ValueError(f"contains no key: copy the part after {_SIGNING_PREFIX} too")
        if len(_decoded(bare)) < _MIN_KEY_BYTES:
            raise ValueError(
                f"contains a key of fewer than {_MIN_KEY_BYTES} bytes, which can be guessed: copy "
                "all of it, or have your video service make a new one"
            )
    return value


def _callback_keys(value: SecretStr) -> SecretStr:
    for secret in split_secret(value):
        if len(secret.encode("utf-8", "surrogateescape")) < _MIN_KEY_BYTES:
            raise ValueError(
                f"contains a key of fewer than {_MIN_KEY_BYTES} bytes, which can be guessed: make "
                "a longer one"
            )
        if not secret.isprintable():
            raise ValueError("contains an invalid character: copy it again")
    return value


def _decoded(text: str) -> bytes:
    """Decode a secret from base64.

    Returns the secret's own bytes if the secret is not base64.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return text.encode("utf-8", "surrogateescape")


def _api_tokens(value: SecretStr) -> SecretStr:
    names: set[str] = set()
    for part in split_secret(value):
        name, colon, token = part.rpartition(":")
        if not _CLIENT_NAME.fullmatch(name if colon else DEFAULT_CLIENT):
            raise ValueError("needs names made of letters and digits: write it like web:TOKEN")
        if name in names:
            raise ValueError("needs a different name for each token: write it like web:TOKEN")
        if name == OWNER_CLIENT:
            raise ValueError(f"must not name a client {OWNER_CLIENT}, which is the owner's name")
        if len(token) < _MIN_SECRET_CHARACTERS or not _is_plain(token):
            raise ValueError(
                f"needs tokens of at least {_MIN_SECRET_CHARACTERS} ASCII characters without spaces"
            )
        names.add(name)
    return value


def database_url(value: SecretStr) -> SecretStr:
    """Return the URL of a PostgreSQL database unchanged. Raises ValueError for any other URL."""
    url = value.get_secret_value()
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in {"postgresql", "postgres"} and bool(parts.path.strip("/"))
        is_valid = is_valid and parts.port != 0 and url.isprintable()
    except ValueError:
        is_valid = False
    if url and not is_valid:
        raise ValueError(
            "is not the URL of a PostgreSQL database: write it like "
            "postgresql://user:password@host:5432/clapper"
        )
    return value


def passwords_of(url: SecretStr) -> frozenset[str]:
    """Return the password in the URL of a database, both as written and percent-decoded."""
    written = urlsplit(url.get_secret_value()).password or ""
    return frozenset({written, unquote(written)} - {""})


def split_secret(value: SecretStr) -> tuple[str, ...]:
    """Return the items of a secret that is a comma-separated list."""
    return split_list(value.get_secret_value())


def split_list(value: str) -> tuple[str, ...]:
    """Return the items of a comma-separated list. Empty items are left out."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _origins(value: str) -> str:
    for origin in split_list(value):
        if not _url(origin) or urlsplit(origin).path.strip("/"):
            raise ValueError("needs URLs without a path, like http://10.0.0.2:9000")
    return value


def _ids(value: str) -> str:
    if not all(_ID.fullmatch(part) for part in split_list(value)):
        raise ValueError(
            "needs Discord's ids, like 123456789012345678: turn on Developer Mode in Discord, "
            "and use Copy Server ID"
        )
    return value


def _role_caps(value: str) -> str:
    roles: set[str] = set()
    for part in split_list(value):
        match = _ROLE_CAP.fullmatch(part)
        if match is None or int(match[2]) == 0:
            raise ValueError(
                "needs a role's ID or the word booster, and a number of videos: write it like "
                "123456789012345678:20,booster:50"
            )
        if match[1] in roles:
            raise ValueError(f"names {match[1]} twice: keep one of its numbers")
        roles.add(match[1])
    return value


def _time_zone(value: str) -> str:
    try:
        if value != "UTC":  # this time zone needs no time zone database
            ZoneInfo(value)
    except (ValueError, OSError):
        raise ValueError("is unknown to this machine: write it like Europe/Berlin or UTC") from None
    return value


def _networks(value: str) -> str:
    for network in split_list(value):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise ValueError(
                "needs IP addresses and networks, like 172.17.0.1,10.0.0.0/8"
            ) from None
    return value


def home_expanded(value: str) -> str:
    """Replace a leading ~ in a path by the home folder.

    Raises ValueError if the home folder is unknown.
    """
    return str(_expanded(Path(value))) if value.startswith("~") else value


def _expanded(value: Path) -> Path:
    try:
        return value.expanduser()
    except RuntimeError:
        raise ValueError(
            "begins with ~ and the name of no user of this machine: write the whole path"
        ) from None


def _extra(value: str) -> str:
    try:
        fields: object = json.loads(value or "{}", parse_constant=_not_json)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ValueError('is not a JSON object: write it like {"fps": 24, "seed": 7}')  # noqa: TRY004 - pydantic expects it
    extra = cast("dict[str, object]", fields)
    if reserved := sorted(_RESERVED_FIELDS & extra.keys()):
        raise ValueError(
            f"must not contain {reserved[0]}: the command and the VIDEO_ settings set it"
        )
    if None in extra.values():
        raise ValueError("must not contain null: omit that field")
    return value


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)


Folder = Annotated[Path, AfterValidator(_expanded)]
FileName = Annotated[str, AfterValidator(home_expanded)]
Label = Annotated[str, Field(max_length=60), AfterValidator(_one_line)]
Url = Annotated[str, AfterValidator(_url)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
StoreUrl = Annotated[str, AfterValidator(_store_url)]
Size = Annotated[str, AfterValidator(_size)]
ClipLengths = Annotated[str, AfterValidator(_lengths)]
Ids = Annotated[str, AfterValidator(_ids)]
Origins = Annotated[str, AfterValidator(_origins)]
RoleCaps = Annotated[str, AfterValidator(_role_caps)]
Networks = Annotated[str, AfterValidator(_networks)]
ExtraFields = Annotated[str, AfterValidator(_extra)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
Key = Annotated[SecretStr, AfterValidator(_header_safe)]
LongKey = Annotated[SecretStr, AfterValidator(_long_enough)]
BearerToken = Annotated[Key, AfterValidator(_long_enough)]
SigningKeys = Annotated[SecretStr, AfterValidator(_signing_keys)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(database_url)]
CallbackKeys = Annotated[SecretStr, AfterValidator(_callback_keys)]
ApiTokens = Annotated[SecretStr, AfterValidator(_api_tokens)]

"""Settings: flat environment variables, also from `.env`; read once, at the composition root."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, Self, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import StartupError
from bot.setting_errors import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET_CHARACTERS = 16
_MOST_JOBS = 1_000_000
_PREFIX = "whsec_"
_GEMINI_MODEL = "gemini-omni-1.2-flash"
_OPENAI = "api.openai.com"
_SAID_ALREADY = frozenset({"prompt", "model", "seconds", "size"})
_CLIENT = re.compile(r"[\w-]{1,64}", re.ASCII)
_ONLY_CLIENT = "api"  # what the one token is called that has no name
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


def _header_safe(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise ValueError("holds a blank or a strange character: copy it anew")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < _SECRET_CHARACTERS:
        raise ValueError(f"must have {_SECRET_CHARACTERS} characters or more, or be empty")
    return value


def _can_be_keys(value: SecretStr) -> SecretStr:
    for secret in _parts(value):
        if secret == _PREFIX or not secret.isprintable():
            raise ValueError(f"holds no key: copy all of it, also what follows {_PREFIX}")
    return value


def _api_tokens(value: SecretStr) -> SecretStr:
    names: set[str] = set()
    for part in _parts(value):
        name, _, token = part.rpartition(":")
        if not _CLIENT.fullmatch(name or _ONLY_CLIENT):
            raise ValueError("names its tokens by letters and digits: write it like web:TOKEN")
        if name in names:
            raise ValueError("holds two tokens without different names: write it like web:TOKEN")
        if len(token) < _SECRET_CHARACTERS or not (token.isascii() and token.isprintable()):
            raise ValueError(f"takes tokens of {_SECRET_CHARACTERS} plain characters or more")
        names.add(name)
    return value


def _parts(value: SecretStr) -> tuple[str, ...]:
    return _listed(value.get_secret_value())


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _origins(value: str) -> str:
    for origin in _listed(value):
        if not _url(origin) or urlsplit(origin).path.strip("/"):
            raise ValueError("takes addresses without a path, like http://10.0.0.2:9000")
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


class Settings(BaseSettings):
    """What the operator decides; `.env.example` has each with its default and a line on it."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    discord_token: Annotated[SecretStr, AfterValidator(_header_safe)] = SecretStr("")
    discord_api_url: Url = ""

    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Path("./data")
    http_host: str = "127.0.0.1"
    http_port: int = Field(8080, ge=0, le=65535)
    public_url: Url = ""

    metrics_token: Annotated[
        SecretStr, AfterValidator(_header_safe), AfterValidator(_long_enough)
    ] = SecretStr("")
    api_token: Annotated[SecretStr, AfterValidator(_api_tokens)] = SecretStr("")

    video_backend: Literal["storyboard", "openai", "openrouter", "gemini"] = "storyboard"
    video_model: str = Field("sora-2", min_length=1, max_length=200)
    video_seconds: int = Field(8, ge=1, le=60)
    video_size: Annotated[str, AfterValidator(_size)] = "1280x720"

    openai_api_key: Annotated[SecretStr, AfterValidator(_header_safe)] = SecretStr("")
    openai_base_url: Url = ""
    openai_webhook_secret: Annotated[SecretStr, AfterValidator(_can_be_keys)] = SecretStr("")
    openai_body: Literal["multipart", "json"] = "multipart"
    openai_extra: Annotated[str, AfterValidator(_extra)] = ""
    openai_result_origins: Annotated[str, AfterValidator(_origins)] = ""

    openrouter_api_key: Annotated[SecretStr, AfterValidator(_header_safe)] = SecretStr("")
    openrouter_base_url: Url = "https://openrouter.ai/api/v1"
    openrouter_webhook_secret: Annotated[SecretStr, AfterValidator(_can_be_keys)] = SecretStr("")

    gemini_api_key: Annotated[SecretStr, AfterValidator(_header_safe)] = SecretStr("")
    gemini_base_url: Url = "https://generativelanguage.googleapis.com"

    prompt_writer: Literal["off", "template", "openai"] = "template"
    prompt_base_url: Url = ""
    prompt_api_key: Annotated[SecretStr, AfterValidator(_header_safe)] = SecretStr("")
    prompt_model: str = Field("", max_length=200)

    moderation: Literal["off", "openai"] = "off"
    moderation_base_url: Url = "https://api.openai.com/v1"
    moderation_api_key: Annotated[SecretStr, AfterValidator(_header_safe)] = SecretStr("")
    blocked_words_file: str = ""

    secret_key: Annotated[SecretStr, AfterValidator(_long_enough)] = SecretStr("")

    max_jobs_per_user: int = Field(2, ge=1, le=_MOST_JOBS)
    max_jobs: int = Field(20, ge=1, le=_MOST_JOBS)
    max_jobs_per_day: int = Field(100, ge=1, le=_MOST_JOBS)
    job_deadline_minutes: float = Field(30, gt=0, allow_inf_nan=False)
    max_audio_seconds: int = Field(600, ge=1, le=7200)
    max_audio_mb: int = Field(25, ge=1, le=500)
    max_result_mb: int = Field(200, ge=1, le=2000)
    keep_days: int = Field(30, ge=1, le=36500)
    keep_gb: float = Field(20, gt=0, allow_inf_nan=False)
    narration_fit: Literal["hold", "loop", "trim"] = "hold"
    narration_mix: Literal["replace", "duck"] = "replace"

    narration_backend: Literal["off", "piper", "openai"] = "off"
    narration_base_url: Url = ""
    narration_api_key: Annotated[SecretStr, AfterValidator(_header_safe)] = SecretStr("")
    narration_model: str = Field("gpt-4o-mini-tts", min_length=1, max_length=200)
    narration_voice: str = Field("", max_length=1000)
    max_narrations_per_user: int = Field(20, ge=1, le=_MOST_JOBS)
    max_narrations_per_day: int = Field(200, ge=1, le=_MOST_JOBS)

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = (
        "INFO"
    )
    log_format: Literal["text", "json"] = "text"

    @property
    def model(self) -> str | None:
        """The model to ask for; None: the server's own."""
        unchanged = self.video_model == type(self).model_fields["video_model"].default
        if self.video_backend == "gemini" and unchanged:
            return _GEMINI_MODEL
        return None if self.video_model == "-" else self.video_model

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must be in no log, also each part of what stands with commas."""
        values: list[object] = [getattr(self, name) for name in type(self).model_fields]
        texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        said = [secret for text in texts for secret in (text, *_listed(text)) if secret]
        return (*said, *self.api_tokens.values())

    @property
    def api_tokens(self) -> Mapping[str, str]:
        """The API's tokens by the names of their clients."""
        pairs = (part.rpartition(":") for part in _parts(self.api_token))
        return {name or _ONLY_CLIENT: token for name, _, token in pairs}

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that the provider may sign with: several while they are rotated."""
        secret = self.openai_webhook_secret
        if self.video_backend == "openrouter":
            secret = self.openrouter_webhook_secret
        return () if self.video_backend == "gemini" else _parts(secret)

    @property
    def extra_fields(self) -> Mapping[str, object]:
        """What a create says beside the request."""
        return cast("dict[str, object]", json.loads(self.openai_extra or "{}"))

    @property
    def result_origins(self) -> tuple[str, ...]:
        """Where finished videos may lie beside the server itself and public addresses."""
        return _listed(self.openai_result_origins)

    @model_validator(mode="after")
    def _backend_is_complete(self) -> Self:
        if self.video_backend == "openai" and not self.openai_base_url:
            raise ValueError(
                "OPENAI_BASE_URL is missing: name the server that speaks the Videos API, like "
                "http://127.0.0.1:8000/v1, or set VIDEO_BACKEND=storyboard."
            )
        if self.video_backend == "openrouter" and not self.openrouter_api_key.get_secret_value():
            raise ValueError("OPENROUTER_API_KEY is missing: make one at openrouter.ai/keys.")
        if self.video_backend == "openrouter" and self.model is None:
            raise ValueError("VIDEO_MODEL: OpenRouter has to be told one, like google/veo-3.1.")
        if self.video_backend == "gemini" and not self.gemini_api_key.get_secret_value():
            raise ValueError("GEMINI_API_KEY is missing: make one at aistudio.google.com/apikey.")
        if self.video_backend == "gemini" and self.model is None:
            raise ValueError(f"VIDEO_MODEL: Gemini has to be told one, like {_GEMINI_MODEL}.")
        if self.narration_backend == "openai" and not self.narration_base_url:
            raise ValueError(
                "NARRATION_BASE_URL is missing: name the server that speaks, like "
                "https://api.openai.com/v1, or set NARRATION_BACKEND=off."
            )
        return self

    @model_validator(mode="after")
    def _services_are_complete(self) -> Self:
        if self.prompt_writer == "openai" and not (self.prompt_base_url and self.prompt_model):
            raise ValueError(
                "PROMPT_BASE_URL and PROMPT_MODEL: name a server with chat models, like "
                "http://127.0.0.1:8000/v1, and one of them, or set PROMPT_WRITER=template."
            )
        moderated = self.moderation == "openai"
        if moderated and not self.moderation_base_url:
            raise ValueError("MODERATION_BASE_URL is missing: name the server, up to /v1.")
        at_openai = urlsplit(self.moderation_base_url).hostname == _OPENAI
        if moderated and at_openai and not self.moderation_api_key.get_secret_value():
            raise ValueError("MODERATION_API_KEY is missing: make one at platform.openai.com.")
        return self


def load_settings(**overrides: Any) -> Settings:  # noqa: ANN401 - as wide as the settings
    """Read the settings; `overrides` win over the environment.

    StartupError: a value is missing or senseless; the sentence names the variable and the fix.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise StartupError(sentence(error, Settings.model_fields)) from None
    except UnicodeDecodeError:
        raise StartupError(".env is not UTF-8 text: save it as that.") from None

"""Settings: flat environment variables, also from `.env`; read once, at the composition root."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import StartupError
from bot.settings.env_file import odd_lines, quoted_values
from bot.settings.error_messages import sentences
from bot.settings.types import (
    ONLY_CLIENT,
    ApiTokens,
    BearerToken,
    ExtraFields,
    Key,
    LogLevel,
    LongKey,
    Networks,
    Origins,
    SigningKeys,
    Size,
    Url,
    listed,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE = ".env"
_MOST_JOBS = 1_000_000
_GEMINI_MODEL = "gemini-omni-1.2-flash"
_OPENAI = "api.openai.com"


class Settings(BaseSettings):
    """What the operator decides; `.env.example` has each with its default and a line on it."""

    model_config = SettingsConfigDict(
        env_file=_FILE,
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    discord_token: Key = SecretStr("")
    discord_api_url: Url = ""

    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Path("./data")
    http_host: str = "127.0.0.1"
    http_port: int = Field(8080, ge=0, le=65535)
    public_url: Url = ""
    trusted_proxies: Networks = "127.0.0.0/8,::1"

    metrics_token: BearerToken = SecretStr("")
    api_token: ApiTokens = SecretStr("")

    video_backend: Literal["storyboard", "openai", "openrouter", "gemini"] = "storyboard"
    video_model: str = Field("sora-2", min_length=1, max_length=200)
    video_seconds: int = Field(8, ge=1, le=60)
    video_size: Size = "1280x720"

    openai_api_key: Key = SecretStr("")
    openai_base_url: Url = ""
    openai_webhook_secret: SigningKeys = SecretStr("")
    openai_body: Literal["multipart", "json"] = "multipart"
    openai_extra: ExtraFields = ""
    openai_result_origins: Origins = ""

    openrouter_api_key: Key = SecretStr("")
    openrouter_base_url: Url = "https://openrouter.ai/api/v1"
    openrouter_webhook_secret: SigningKeys = SecretStr("")

    gemini_api_key: Key = SecretStr("")
    gemini_base_url: Url = "https://generativelanguage.googleapis.com"

    prompt_writer: Literal["off", "template", "openai"] = "template"
    prompt_base_url: Url = ""
    prompt_api_key: Key = SecretStr("")
    prompt_model: str = Field("", max_length=200)

    moderation: Literal["off", "openai"] = "off"
    moderation_base_url: Url = "https://api.openai.com/v1"
    moderation_api_key: Key = SecretStr("")
    blocked_words_file: str = ""

    secret_key: LongKey = SecretStr("")

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
    narration_api_key: Key = SecretStr("")
    narration_model: str = Field("gpt-4o-mini-tts", min_length=1, max_length=200)
    narration_voice: str = Field("", max_length=1000)
    max_narrations_per_user: int = Field(20, ge=1, le=_MOST_JOBS)
    max_narrations_per_day: int = Field(200, ge=1, le=_MOST_JOBS)

    log_level: LogLevel = "INFO"
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
        said = [secret for text in texts for secret in (text, *listed(text)) if secret]
        return (*said, *self.api_tokens.values())

    @property
    def api_tokens(self) -> Mapping[str, str]:
        """The API's tokens by the names of their clients."""
        pairs = (part.rpartition(":") for part in parts(self.api_token))
        return {name or ONLY_CLIENT: token for name, _, token in pairs}

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that the provider may sign with: several while they are rotated."""
        secret = self.openai_webhook_secret
        if self.video_backend == "openrouter":
            secret = self.openrouter_webhook_secret
        return () if self.video_backend == "gemini" else parts(secret)

    @property
    def extra_fields(self) -> Mapping[str, object]:
        """What a create says beside the request."""
        return cast("dict[str, object]", json.loads(self.openai_extra or "{}"))

    @property
    def result_origins(self) -> tuple[str, ...]:
        """Where finished videos may lie beside the server itself and public addresses."""
        return listed(self.openai_result_origins)

    @property
    def proxies(self) -> tuple[str, ...]:
        """Whose word counts for where a request comes from: addresses and networks."""
        return listed(self.trusted_proxies)


def load_settings(*, with_discord: bool = False, **overrides: Any) -> Settings:  # noqa: ANN401 - as wide as the settings
    """Read the settings; `overrides` win over the environment. `with_discord` asks for a token too.

    StartupError: values are missing or senseless; a line for each names the variable and the fix.
    """
    fields, wrong = Settings.model_fields, dict[str, str]()
    try:
        if odd := [*odd_lines(Path(_FILE)), *quoted_values(os.environ, fields)]:
            raise StartupError("\n".join(odd))
        try:
            settings = Settings(**overrides)
        except ValidationError as error:
            wrong = sentences(error, fields)
            # One that won't do must not hide what is missing elsewhere.
            settings = Settings(**overrides | {name: fields[name].default for name in wrong})
    except UnicodeDecodeError:
        raise StartupError(".env is not UTF-8 text: save it as that.") from None
    lines = [f"{name.upper()}{sentence}" for name, sentence in wrong.items()]
    for names, sentence in _lacking(settings, with_discord=with_discord):
        if wrong.keys().isdisjoint(names):
            lines.append(f"{names[0].upper()}{sentence}")
    if lines:
        raise StartupError("\n".join(lines))
    return settings


def _lacking(settings: Settings, *, with_discord: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find what each choice needs and nobody gave, with the settings that this follows from."""
    if with_discord and not settings.discord_token.get_secret_value():
        yield (
            ("discord_token",),
            " is missing: copy it from the Developer Portal, page Bot, into .env.",
        )
    yield from _lacking_for_videos(settings)
    if settings.narration_backend == "openai" and not settings.narration_base_url:
        yield (
            ("narration_base_url",),
            (
                " is missing: name the server that speaks, like "
                "https://api.openai.com/v1, or set NARRATION_BACKEND=off."
            ),
        )
    if settings.prompt_writer == "openai" and not settings.prompt_base_url:
        yield (
            ("prompt_base_url",),
            (
                " is missing: name a server with chat models, like "
                "http://127.0.0.1:8000/v1, or set PROMPT_WRITER=template."
            ),
        )
    if settings.prompt_writer == "openai" and not settings.prompt_model:
        yield (
            ("prompt_model",),
            " is missing: name a chat model of that server, or set PROMPT_WRITER=template.",
        )
    if settings.moderation == "openai" and not settings.moderation_base_url:
        yield ("moderation_base_url",), " is missing: name the server, up to /v1."
    at_openai = urlsplit(settings.moderation_base_url).hostname == _OPENAI
    keyless = not settings.moderation_api_key.get_secret_value()
    if settings.moderation == "openai" and at_openai and keyless:
        yield (
            ("moderation_api_key", "moderation_base_url"),
            " is missing: make one at platform.openai.com.",
        )


def _lacking_for_videos(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    match settings.video_backend:
        case "storyboard":
            return
        case "openai":
            if not settings.openai_base_url:
                yield (
                    ("openai_base_url",),
                    (
                        " is missing: name the server that speaks the Videos API, like "
                        "http://127.0.0.1:8000/v1, or set VIDEO_BACKEND=storyboard."
                    ),
                )
        case "openrouter":
            if not settings.openrouter_api_key.get_secret_value():
                yield ("openrouter_api_key",), " is missing: make one at openrouter.ai/keys."
            if settings.model is None:
                yield ("video_model",), ": OpenRouter has to be told one, like google/veo-3.1."
        case "gemini":
            if not settings.gemini_api_key.get_secret_value():
                yield ("gemini_api_key",), " is missing: make one at aistudio.google.com/apikey."
            if settings.model is None:
                yield ("video_model",), f": Gemini has to be told one, like {_GEMINI_MODEL}."

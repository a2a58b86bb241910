"""Defines the settings. They are read from environment variables and from `.env`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import StartupError
from bot.settings.env_file import odd_lines, quoted_values
from bot.settings.error_messages import error_sentences
from bot.settings.requirements import GEMINI_MODEL, unmet_requirements
from bot.settings.spelling import unknown_names
from bot.settings.types import (
    DEFAULT_CLIENT,
    MAX_CLIP_SECONDS,
    ApiTokens,
    BearerToken,
    CallbackKeys,
    ClipLengths,
    DatabaseUrl,
    ExtraFields,
    FileName,
    Folder,
    Ids,
    Key,
    Label,
    LogLevel,
    LongKey,
    Networks,
    Origins,
    RoleCaps,
    SigningKeys,
    Size,
    StoreUrl,
    TimeZone,
    Url,
    passwords_of,
    split_list,
    split_secret,
)
from bot.settings.voice_list import LanguageVoices  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = ".env"
_MAX_JOBS = 1_000_000
_MAX_DOLLARS = 1_000_000
_DAY_MINUTES = 24 * 60


class Settings(BaseSettings):
    """The operator's settings. The file `.env.example` explains each one and shows its default."""

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

    allowed_servers: Ids = ""
    order_from: Literal["servers", "dms", "everywhere"] = "servers"
    owner_servers: Ids = ""

    data_dir: Folder = Path("./data")
    database_url: DatabaseUrl = SecretStr("")
    database_keeps_days: int | None = Field(None, ge=1, le=36500)
    http_host: str = "127.0.0.1"
    http_port: int = Field(8080, ge=0, le=65535)
    public_url: Url = ""
    trusted_proxies: Networks = "127.0.0.0/8,::1"

    metrics_token: BearerToken = SecretStr("")
    api_token: ApiTokens = SecretStr("")
    owner_token: BearerToken = SecretStr("")

    video_backend: Literal["storyboard", "openai", "openrouter", "gemini"] = "storyboard"
    video_model: str = Field("sora-2", min_length=1, max_length=200)
    video_label: Label = ""
    video_seconds: int = Field(8, ge=1, le=MAX_CLIP_SECONDS)
    video_seconds_max: int | None = Field(None, ge=1, le=MAX_CLIP_SECONDS)
    video_lengths: ClipLengths = ""
    video_size: Size = "1280x720"
    storyboard_url: Url = ""

    openai_api_key: Key = SecretStr("")
    openai_base_url: Url = ""
    openai_webhook_secret: SigningKeys = SecretStr("")
    openai_body: Literal["multipart", "json"] = "multipart"
    openai_extra: ExtraFields = ""
    openai_result_origins: Origins = ""
    openai_audio_reference: Literal["off", "on"] = "off"

    openrouter_api_key: Key = SecretStr("")
    openrouter_base_url: Url = "https://openrouter.ai/api/v1"
    openrouter_webhook_secret: CallbackKeys = SecretStr("")

    gemini_api_key: Key = SecretStr("")
    gemini_base_url: Url = "https://generativelanguage.googleapis.com"

    prompt_writer: Literal["off", "template", "openai"] = "template"
    prompt_base_url: Url = ""
    prompt_api_key: Key = SecretStr("")
    prompt_model: str = Field("", max_length=200)

    moderation: Literal["off", "openai"] = "off"
    moderation_base_url: Url = "https://api.openai.com/v1"
    moderation_api_key: Key = SecretStr("")
    blocked_words_file: FileName = ""

    notify: Literal["always", "never", "late"] = "always"
    notify_minutes: int = Field(10, ge=1, le=_DAY_MINUTES)

    secret_key: LongKey = SecretStr("")

    store_url: StoreUrl = ""
    store_endpoint: Url = ""
    store_region: Label = ""
    store_key_id: Label = ""
    store_secret: Key = SecretStr("")
    store_public_endpoint: Url = ""

    max_jobs_per_user: int = Field(2, ge=1, le=_MAX_JOBS)
    max_jobs: int = Field(20, ge=1, le=_MAX_JOBS)
    max_queue: int = Field(200, ge=0, le=_MAX_JOBS)
    max_jobs_per_day: int = Field(100, ge=1, le=_MAX_JOBS)
    max_jobs_per_user_day: int = Field(10, ge=1, le=_MAX_JOBS)
    max_jobs_per_server_day: int = Field(0, ge=0, le=_MAX_JOBS)
    role_caps: RoleCaps = ""
    price_per_clip: float | None = Field(None, ge=0, le=_MAX_DOLLARS)
    price_per_second: float | None = Field(None, ge=0, le=_MAX_DOLLARS)
    price_per_narration: float | None = Field(None, ge=0, le=_MAX_DOLLARS)
    price_per_prompt: float | None = Field(None, ge=0, le=_MAX_DOLLARS)
    show_prices: Literal["on", "off"] = "on"
    budget_day: float | None = Field(None, ge=0, le=_MAX_DOLLARS)
    budget_month: float | None = Field(None, ge=0, le=_MAX_DOLLARS)
    budget_per_user_month: float | None = Field(None, ge=0, le=_MAX_DOLLARS)
    budget_per_server_month: float | None = Field(None, ge=0, le=_MAX_DOLLARS)
    timezone: TimeZone = "UTC"
    job_deadline_minutes: float = Field(30, gt=0, allow_inf_nan=False)
    max_audio_seconds: int = Field(600, ge=1, le=7200)
    max_audio_mb: int = Field(25, ge=1, le=500)
    max_result_mb: int = Field(200, ge=1, le=2000)
    keep_days: int = Field(30, ge=1, le=36500)
    keep_gb: float = Field(20, gt=0, allow_inf_nan=False)
    narration_mode: Literal["overlay", "guide"] = "overlay"
    narration_fit: Literal["hold", "loop", "trim"] = "hold"
    narration_mix: Literal["replace", "duck"] = "replace"

    narration_backend: Literal["off", "piper", "openai"] = "off"
    narration_base_url: Url = ""
    narration_api_key: Key = SecretStr("")
    narration_model: str = Field("gpt-4o-mini-tts", min_length=1, max_length=200)
    narration_voice: FileName = Field("", max_length=1000)
    narration_voices: LanguageVoices = ""
    max_narrations_per_user: int = Field(20, ge=1, le=_MAX_JOBS)
    max_narrations_per_day: int = Field(200, ge=1, le=_MAX_JOBS)

    log_level: LogLevel = "INFO"
    log_format: Literal["text", "json"] = "text"

    @property
    def model(self) -> str | None:
        """The video model to request, or None for the provider's default model."""
        unchanged = self.video_model == type(self).model_fields["video_model"].default
        if self.video_backend == "gemini" and unchanged:
            return GEMINI_MODEL
        return None if self.video_model == "-" else self.video_model

    @property
    def database(self) -> Path | str:
        """The folder of the SQLite database, or the URL of the PostgreSQL database."""
        return self.database_url.get_secret_value() or self.data_dir

    @property
    def clip_lengths(self) -> tuple[int, ...]:
        """The lengths of clips that the operator's server offers, or () if they are unknown."""
        return tuple(sorted({int(part) for part in split_list(self.video_lengths)}))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must not appear in logs.

        If a value is a comma-separated list, its items are included.
        """
        values: list[object] = [getattr(self, name) for name in type(self).model_fields]
        texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        secrets = [secret for text in texts for secret in (text, *split_list(text)) if secret]
        return (*secrets, *self.api_tokens.values(), *passwords_of(self.database_url))

    @property
    def api_tokens(self) -> Mapping[str, str]:
        """The API tokens, keyed by the name of the client."""
        pairs = (part.rpartition(":") for part in split_secret(self.api_token))
        return {name or DEFAULT_CLIENT: token for name, _, token in pairs}

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that verify the provider's webhooks. During a rotation, there are several."""
        match self.video_backend:
            case "storyboard" | "openai":
                return split_secret(self.openai_webhook_secret)
            case "openrouter":
                return split_secret(self.openrouter_webhook_secret)
            case "gemini":
                return ()

    @property
    def extra_fields(self) -> Mapping[str, object]:
        """The additional fields that the operator wants in each create request."""
        return cast("dict[str, object]", json.loads(self.openai_extra or "{}"))

    @property
    def result_origins(self) -> tuple[str, ...]:
        """The origins in private networks from which finished videos may be downloaded.

        Public addresses and the provider's own origin are always allowed.
        """
        return split_list(self.openai_result_origins)

    @property
    def allowed_server_ids(self) -> frozenset[int]:
        """The ids of the servers where people may order videos. Empty if all are allowed."""
        return frozenset(int(part) for part in split_list(self.allowed_servers))

    @property
    def owner_server_ids(self) -> frozenset[int]:
        """The ids of the servers in which the owner's commands are offered."""
        return frozenset(int(part) for part in split_list(self.owner_servers))

    @property
    def caps_by_role(self) -> Mapping[str, int]:
        """The daily limits on videos, keyed by role id.

        The key "booster" is for server boosters.
        """
        pairs = (part.partition(":") for part in split_list(self.role_caps))
        return {role: int(cap) for role, _, cap in pairs}

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses and networks of reverse proxies whose X-Forwarded-For header is trusted."""
        return split_list(self.trusted_proxies)


def load_settings(*, with_discord: bool = False, **overrides: Any) -> Settings:  # noqa: ANN401 - the settings have many types
    """Read the settings. `overrides` take precedence over the environment.

    `with_discord`: whether DISCORD_TOKEN is required.

    Raises StartupError if settings are missing or invalid. The message has one line for each such
    setting. The line names the variable and the fix.
    """
    fields, invalid = Settings.model_fields, dict[str, str]()
    try:
        if odd := [*odd_lines(Path(_FILE), fields), *quoted_values(os.environ, fields)]:
            raise StartupError("\n".join(odd))
        try:
            settings = Settings(**overrides)
        except ValidationError as error:
            invalid = error_sentences(error, fields)
            # Use the default for each invalid value, so that missing settings are reported in the
            # same error.
            settings = Settings(**overrides | {name: fields[name].default for name in invalid})
    except UnicodeDecodeError:
        raise StartupError(".env is not UTF-8 text: save it as UTF-8.") from None
    lines = [f"{name.upper()}{sentence}" for name, sentence in invalid.items()]
    lines += [
        f"{unmet.setting.upper()}{unmet.sentence}{_misspelling(unmet.setting)}"
        for unmet in unmet_requirements(settings, with_discord=with_discord)
        if invalid.keys().isdisjoint(unmet.settings)
    ]
    if lines:
        raise StartupError("\n".join(lines))
    return settings


def _misspelling(setting: str) -> str:
    """Return advice for the error about a missing setting.

    The advice lists the similar names that are set. It is empty if there are none.
    """
    unknown = unknown_names(os.environ, Settings)
    return "".join(f" {each}" for each in unknown if each.meant == setting.upper())

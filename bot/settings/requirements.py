"""Lists the settings that are required by other settings, and finds those that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings.fields import Settings

GEMINI_MODEL = "gemini-omni-1.2-flash"


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """A setting that must have a value under certain conditions.

    `given`: another setting's name. This setting is required only if the other one has a value.
    `choice`: another setting's name and value. This setting is required only if the other one has
    that value.
    `host`: a URL setting's name and a host. This setting is required only if the URL has that host.
    `empty`: the value that counts as missing.
    `sentence`: the rest of the error message, which begins with the setting's name.
    """

    setting: str
    given: str = ""
    choice: tuple[str, str] | None = None
    host: tuple[str, str] | None = None
    empty: str = ""
    sentence: str

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that must be valid before this requirement can be checked."""
        return (self.setting, self.host[0]) if self.host else (self.setting,)

    def is_unmet(self, settings: Settings) -> bool:
        """Tell whether the setting is required and missing."""
        return self._applies(settings) and _text(settings, self.setting) == self.empty

    def _applies(self, settings: Settings) -> bool:
        if self.given and not _text(settings, self.given):
            return False
        if self.choice and _text(settings, self.choice[0]) != self.choice[1]:
            return False
        return not self.host or urlsplit(_text(settings, self.host[0])).hostname == self.host[1]


_DISCORD_TOKEN = Requirement(
    setting="discord_token",
    sentence=" is missing: copy it into .env from the Bot page of the Discord Developer Portal.",
)
_REQUIREMENTS = (
    # Without SECRET_KEY, each machine would generate a key of its own.
    Requirement(
        setting="secret_key",
        given="database_url",
        sentence=" is missing: with DATABASE_URL, set it to a random text of 16 characters or "
        "more, the same on each machine.",
    ),
    # Another machine could not read files in this one's DATA_DIR.
    Requirement(
        setting="store_url",
        given="database_url",
        sentence=" is missing: with DATABASE_URL, set it to the bucket for the files, like "
        "s3://bucket/prefix.",
    ),
    # Otherwise, each machine would have a renderer of its own, and no machine could get clips from
    # another machine's renderer.
    Requirement(
        setting="storyboard_url",
        given="database_url",
        choice=("video_backend", "storyboard"),
        sentence=" is missing: with DATABASE_URL, run `python -m bot storyboard` as a service, and "
        "set it to the address that this prints.",
    ),
    Requirement(
        setting="openai_base_url",
        choice=("video_backend", "openai"),
        sentence=" is missing: set it to the URL of a server that offers the Videos API, such as "
        "http://127.0.0.1:8000/v1, or set VIDEO_BACKEND=storyboard.",
    ),
    Requirement(
        setting="openrouter_api_key",
        choice=("video_backend", "openrouter"),
        sentence=" is missing: create a key at openrouter.ai/keys.",
    ),
    Requirement(
        setting="video_model",
        choice=("video_backend", "openrouter"),
        empty="-",
        sentence=": OpenRouter needs the name of a model, such as google/veo-3.1.",
    ),
    Requirement(
        setting="gemini_api_key",
        choice=("video_backend", "gemini"),
        sentence=" is missing: create a key at aistudio.google.com/apikey.",
    ),
    Requirement(
        setting="video_model",
        choice=("video_backend", "gemini"),
        empty="-",
        sentence=f": Gemini needs the name of a model, such as {GEMINI_MODEL}.",
    ),
    Requirement(
        setting="narration_base_url",
        choice=("narration_backend", "openai"),
        sentence=" is missing: set it to the URL of a server that offers text-to-speech, such as "
        "https://api.openai.com/v1, or set NARRATION_BACKEND=off.",
    ),
    Requirement(
        setting="prompt_base_url",
        choice=("prompt_writer", "openai"),
        sentence=" is missing: set it to the URL of a server that offers chat models, such as "
        "http://127.0.0.1:8000/v1, or set PROMPT_WRITER=template.",
    ),
    Requirement(
        setting="prompt_model",
        choice=("prompt_writer", "openai"),
        sentence=" is missing: set it to a chat model of that server, or set "
        "PROMPT_WRITER=template.",
    ),
    Requirement(
        setting="moderation_base_url",
        choice=("moderation", "openai"),
        sentence=" is missing: set it to the URL, up to /v1, of a server that offers the "
        "Moderations API.",
    ),
    # Only OpenAI's own server is known to require a key. Other servers with the same API may not
    # require one.
    Requirement(
        setting="moderation_api_key",
        choice=("moderation", "openai"),
        host=("moderation_base_url", "api.openai.com"),
        sentence=" is missing: create a key at platform.openai.com.",
    ),
    Requirement(
        setting="store_secret",
        given="store_key_id",
        sentence=" is missing: it is the secret that belongs to STORE_KEY_ID.",
    ),
    Requirement(
        setting="store_url",
        given="store_endpoint",
        sentence=" is missing: set it to the bucket at STORE_ENDPOINT, like s3://bucket/prefix.",
    ),
    Requirement(
        setting="store_url",
        given="store_public_endpoint",
        sentence=" is missing: set it to the bucket at STORE_PUBLIC_ENDPOINT, like "
        "s3://bucket/prefix.",
    ),
)


def unmet_requirements(settings: Settings, *, with_discord: bool) -> Iterator[Requirement]:
    """Yield the missing required settings in the order in which they are reported."""
    if with_discord and _DISCORD_TOKEN.is_unmet(settings):
        yield _DISCORD_TOKEN
    yield from (requirement for requirement in _REQUIREMENTS if requirement.is_unmet(settings))
    yield from _unmet_by_lengths(settings)


def _unmet_by_lengths(settings: Settings) -> Iterator[Requirement]:
    usual, longest = settings.video_seconds, settings.video_seconds_max
    if longest is not None and longest < usual:
        yield Requirement(
            setting="video_seconds_max",
            sentence=f": {longest} is less than VIDEO_SECONDS={usual}: set it to at least {usual}, "
            "or leave it empty.",
        )
    offered = settings.clip_lengths
    if settings.video_backend == "openai" and offered and usual not in offered:
        yield Requirement(
            setting="video_lengths",
            sentence=f": {usual} is missing, the value of VIDEO_SECONDS: add it, or set "
            "VIDEO_SECONDS to one of these lengths.",
        )


def _text(settings: Settings, name: str) -> str:
    value: object = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

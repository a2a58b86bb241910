"""Checks the services to which a prompt is sent before it goes to the video provider.

These are the prompt writer and the moderation service.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from bot.backends.json_service import JsonService
from bot.backends.responses.remote_job import page_in
from bot.commands.checks.findings import Finding, without_password
from bot.errors import BackendError, ErrorKind, StartupError
from bot.moderation.openai_moderation import OpenAIModerator
from bot.moderation.words import load_words

if TYPE_CHECKING:
    from bot.settings.fields import Settings

_WRITER, _MODERATION, _WORDS = "PROMPT_WRITER", "MODERATION", "blocked words"
_SECONDS = 10.0
_HARMLESS = "a paper boat"


async def examine_writer(settings: Settings) -> Finding:
    """Check that the prompt writer responds, accepts the key and offers the model."""
    if settings.video_backend == "storyboard":
        return Finding(
            subject=_WRITER, ok=True, found="not used: title cards show the prompt as typed"
        )
    if settings.prompt_writer != "openai":
        return Finding(subject=_WRITER, ok=True, found=settings.prompt_writer)
    service = JsonService(
        name="prompt writer",
        base_url=settings.prompt_base_url,
        api_key=settings.prompt_api_key.get_secret_value() or None,
        seconds=_SECONDS,
    )
    models: frozenset[str] = frozenset()  # not every server lists its models
    try:
        models = _models_in(await service.get("/models"))
    except BackendError as error:
        if error.kind is not ErrorKind.GONE:
            return _refused(error, _WRITER, "PROMPT", settings.prompt_base_url)
    finally:
        await service.close()
    return Finding(
        subject=_WRITER,
        ok=True,
        found=f"openai: {without_password(settings.prompt_base_url)} answers",
        advice="the service does not list PROMPT_MODEL: check the name"
        if models and settings.prompt_model not in models
        else "",
    )


async def examine_moderation(settings: Settings) -> Finding:
    """Check that the moderation service responds, by sending it a harmless prompt."""
    if settings.moderation == "off":
        return Finding(subject=_MODERATION, ok=True, found="off")
    moderator = OpenAIModerator(
        base_url=settings.moderation_base_url,
        api_key=settings.moderation_api_key.get_secret_value() or None,
        seconds=_SECONDS,
    )
    try:
        await moderator.check([_HARMLESS])
    except BackendError as error:
        return _refused(error, _MODERATION, "MODERATION", settings.moderation_base_url)
    finally:
        await moderator.close()
    url = without_password(settings.moderation_base_url)
    return Finding(subject=_MODERATION, ok=True, found=f"openai: {url} answers")


async def examine_words(settings: Settings) -> Finding:
    """Check that the list of blocked words can be read, and report the number of words."""
    if not settings.blocked_words_file:
        return Finding(subject=_WORDS, ok=True, found="none")
    try:
        words = await asyncio.to_thread(load_words, Path(settings.blocked_words_file))
    except StartupError as error:
        return Finding(subject=_WORDS, ok=False, found="unreadable", advice=str(error))
    return Finding(
        subject=_WORDS, ok=True, found="1 word" if len(words) == 1 else f"{len(words)} words"
    )


def _models_in(answer: object) -> frozenset[str]:
    page = page_in(answer)
    return frozenset(entry.ref for entry in page.jobs if entry.ref) if page else frozenset()


def _refused(error: BackendError, subject: str, prefix: str, base_url: str) -> Finding:
    url = without_password(base_url)
    if error.kind is ErrorKind.AUTH:
        return Finding(
            subject=subject,
            ok=False,
            found=f"openai: {url} refuses the key",
            advice=f"correct {prefix}_API_KEY",
        )
    return Finding(
        subject=subject,
        ok=False,
        found=f"openai: {url} can't be used at the moment ({error.message})",
        advice=f"try again later, or correct {prefix}_BASE_URL",
    )

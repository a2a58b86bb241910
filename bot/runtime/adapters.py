"""Opens the provider, voice, prompt writer, moderator and metrics that the settings choose.

Each adapter is imported only if it is chosen. Together they would take 25 MiB of memory.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.backends import capabilities
from bot.backends.openai_videos import OpenAIVideos
from bot.backends.transport.base import Timeouts
from bot.errors import BackendError, StartupError
from bot.metrics import Metrics
from bot.moderation.words import BlockedWords, load_words
from bot.prompts.base import VerbatimWriter
from bot.runtime.parts.hearing import sound_forms_of
from bot.runtime.parts.storyboard import STORYBOARD, open_storyboard, reach_storyboard
from bot.runtime.timing import GEMINI_ANSWER_SECONDS, GEMINI_SUBMIT_SECONDS, SUBMIT_SECONDS
from bot.settings.voice_list import voices_by_language
from bot.web.webhooks import WEBHOOK_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from bot.backends.base import VideoBackend
    from bot.backends.gemini.adapter import Gemini
    from bot.backends.openrouter.adapter import OpenRouter
    from bot.moderation.base import Moderator
    from bot.prompts.base import PromptWriter
    from bot.runtime.resources import Resources
    from bot.settings.fields import Settings
    from bot.speech.voice import Voice
    from bot.speech.voices import Voices

log = logging.getLogger(__name__)

_MODELS_SECONDS = 10.0
_DEFAULT_VOICE = "alloy"
_MIB = 1024 * 1024


async def open_backend(resources: Resources, stack: AsyncExitStack) -> VideoBackend:
    """Open the chosen backend. For `storyboard`, start the renderer unless it is a service."""
    settings = resources.settings
    match settings.video_backend:
        case "storyboard" if settings.storyboard_url:
            backend = reach_storyboard(settings)
        case "storyboard":
            backend = await open_storyboard(resources, stack)
        case "openai":
            from bot.backends.transport.openai_sdk import OpenAITransports

            api_key = settings.openai_api_key.get_secret_value() or None
            backend = OpenAIVideos(
                base_url=settings.openai_base_url,
                api_key=api_key,
                open_transport=OpenAITransports(api_key=api_key),
                webhook_secrets=settings.webhook_secrets,
                body=settings.openai_body,
                extra=settings.extra_fields,
                result_origins=settings.result_origins,
                timeouts=Timeouts(submit=SUBMIT_SECONDS),
                features=replace(
                    capabilities.OPENAI,
                    lengths=settings.clip_lengths,
                    sound_forms=sound_forms_of(settings),
                ),
            )
        case "openrouter":
            backend = await _open_openrouter(settings)
        case "gemini":
            backend = _open_gemini(settings)
    stack.push_async_callback(backend.close)
    return backend


async def open_voices(settings: Settings) -> Voices | None:
    """Return the chosen voices, or None if texts are not read aloud.

    Raises StartupError if Piper, a voice or the detector of languages is not installed.
    """
    if settings.narration_backend == "off":
        return None
    from bot.speech.voices import Voices

    listed = voices_by_language(settings.narration_voices)
    match settings.narration_backend:
        case "piper":
            from bot.speech.piper import make_child, open_piper

            open_voice = partial(
                open_piper,
                child=make_child(),
                max_seconds=settings.max_audio_seconds,
                setting="NARRATION_VOICES" if listed else "NARRATION_VOICE",
            )
        case "openai":
            open_voice = partial(_open_openai_voice, settings)
    if not listed:
        return Voices(await open_voice(settings.narration_voice))
    from bot.speech.languages.detector import open_detector

    default = settings.narration_voice
    return Voices(
        await open_voice(default) if default else None,
        {code: await open_voice(voice) for code, voice in _known(listed).items()},
        open_detector(),
    )


async def _open_openai_voice(settings: Settings, voice: str) -> Voice:
    from bot.speech.openai_voice import OpenAISpeech

    return OpenAISpeech(
        base_url=settings.narration_base_url,
        api_key=settings.narration_api_key.get_secret_value() or None,
        model=settings.narration_model,
        voice=voice or _DEFAULT_VOICE,
        max_bytes=settings.max_audio_mb * _MIB,
    )


def _known(listed: Mapping[str, str]) -> Mapping[str, str]:
    from bot.speech.languages.known import LANGUAGES

    if unknown := sorted(listed.keys() - LANGUAGES.keys()):
        known = ", ".join(sorted(LANGUAGES))
        raise StartupError(f"NARRATION_VOICES: {unknown[0]} is not one of the languages {known}.")
    return listed


async def open_writers(
    resources: Resources, backend: VideoBackend, stack: AsyncExitStack
) -> tuple[PromptWriter, PromptWriter]:
    """Open the prompt writer, and the writer that replaces it when it fails.

    With the storyboard, both return the prompt unchanged, since title cards show the requester's
    own words.
    """
    setting = resources.settings.prompt_writer
    if setting == "off" or backend.name == STORYBOARD:
        return VerbatimWriter(), VerbatimWriter()
    from bot.prompts.reading import PromptReader
    from bot.prompts.template import TemplateWriter

    reader = PromptReader.load()
    template = TemplateWriter(reader)
    if setting == "template":
        return template, template
    from bot.prompts.openai_writer import OpenAIWriter

    writer = OpenAIWriter(
        reader,
        base_url=resources.settings.prompt_base_url,
        api_key=resources.settings.prompt_api_key.get_secret_value() or None,
        model=resources.settings.prompt_model,
    )
    stack.push_async_callback(writer.close)
    return writer, template


def open_moderator(settings: Settings, stack: AsyncExitStack) -> Moderator | None:
    """Open the prompt moderator, or return None if moderation is off."""
    match settings.moderation:
        case "off":
            return None
        case "openai":
            from bot.moderation.openai_moderation import OpenAIModerator

            moderator = OpenAIModerator(
                base_url=settings.moderation_base_url,
                api_key=settings.moderation_api_key.get_secret_value() or None,
            )
    stack.push_async_callback(moderator.close)
    return moderator


def make_metrics(settings: Settings) -> Metrics:
    """Return the metrics, which are collected only if METRICS_TOKEN is set."""
    if not settings.metrics_token.get_secret_value():
        return Metrics()
    from bot.web.prometheus import PrometheusMetrics

    return PrometheusMetrics()


async def load_blocked_words(settings: Settings) -> BlockedWords:
    """Read the operator's list of blocked words.

    Raises StartupError if the file can't be read.
    """
    if not settings.blocked_words_file:
        return BlockedWords()
    words = await asyncio.to_thread(load_words, Path(settings.blocked_words_file))
    log.info("moderation.words count=%d", len(words))
    return words


async def _open_openrouter(settings: Settings) -> OpenRouter:
    from bot.backends.openrouter.adapter import OpenRouter

    # The bot can't verify an unsigned callback. OpenRouter refuses a callback URL without TLS.
    with_callback = settings.webhook_secrets and settings.public_url.startswith("https://")
    backend = OpenRouter(
        base_url=settings.openrouter_base_url,
        api_key=settings.openrouter_api_key.get_secret_value(),
        webhook_secrets=settings.webhook_secrets,
        callback_url=f"{settings.public_url}{WEBHOOK_PATH}" if with_callback else None,
        timeouts=Timeouts(submit=SUBMIT_SECONDS),
    )
    try:
        backend.capabilities = replace(backend.capabilities, sound_forms=sound_forms_of(settings))
        await _check_presets(backend, settings)
    except BaseException:
        await backend.close()
        raise
    return backend


async def _check_presets(backend: OpenRouter, settings: Settings) -> None:
    from bot.backends.openrouter.models import check

    seconds, size = settings.video_seconds, settings.video_size
    try:
        async with asyncio.timeout(_MODELS_SECONDS):
            offers = await backend.offers()
    except (BackendError, TimeoutError) as error:
        log.warning("backend.models_unknown backend=%s error=%r", backend.name, str(error))
        return
    offer = check(offers, model=settings.model, seconds=seconds, size=size)
    price = offer.second_price(size)
    backend.capabilities = replace(
        backend.capabilities, lengths=offer.seconds, sizes=offer.sizes, second_dollars=price
    )
    log.info("backend.model backend=%s model=%s second_usd=%s", backend.name, settings.model, price)


def _open_gemini(settings: Settings) -> Gemini:
    from bot.backends.gemini.adapter import Gemini
    from bot.backends.gemini.formats import list_price, response_format

    response_format(seconds=settings.video_seconds, size=settings.video_size)
    log.warning("backend.experimental backend=gemini model=%s", settings.model)
    price = list_price(model=settings.model or "", size=settings.video_size)
    return Gemini(
        base_url=settings.gemini_base_url,
        api_key=settings.gemini_api_key.get_secret_value(),
        timeouts=Timeouts(submit=GEMINI_SUBMIT_SECONDS, answer=GEMINI_ANSWER_SECONDS),
        capabilities=replace(
            capabilities.GEMINI, second_dollars=price.second_dollars if price else None
        ),
    )

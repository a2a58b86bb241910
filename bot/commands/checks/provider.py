"""Checks the video provider without ordering a video.

`run` makes this check at each start. To save memory, only the chosen provider's adapter is
imported.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from bot.backends.capabilities import GEMINI, OPENAI, OPENROUTER, STORYBOARD
from bot.backends.openai_videos import OpenAIVideos
from bot.backends.responses import refusal_words
from bot.backends.transport.base import Timeouts
from bot.commands.checks.clip_terms import describe_lengths, describe_price
from bot.commands.checks.configuration.storyboard_service import examine_storyboard
from bot.commands.checks.findings import Finding, without_password
from bot.errors import BackendError, ErrorKind, StartupError

if TYPE_CHECKING:
    from bot.settings.fields import Settings

_SUBJECT = "VIDEO_BACKEND"
_SECONDS = 10.0
_OK = 200
_MAX_LISTED_MODELS = 5
_MAX_ANSWER = 4000
# Proxies respond with these statuses if the server behind them is down. Some servers do so while
# they start.
_UNAVAILABLE = frozenset({502, 503, 504})


async def examine_backend(settings: Settings) -> Finding:
    """Check that the chosen provider can be used.

    The finding also names the price, and says whether the bot gets webhooks or has to poll.
    """
    match settings.video_backend:
        case "storyboard" if settings.storyboard_url:
            return await examine_storyboard(settings)
        case "storyboard":
            return Finding(
                subject=_SUBJECT,
                ok=True,
                found="storyboard: title cards made on this machine, without a key and at no cost"
                + describe_lengths(settings, STORYBOARD),
            )
        case "openai":
            return await _openai(settings)
        case "openrouter":
            return await _openrouter(settings)
        case "gemini":
            return await _gemini(settings)


async def _openai(settings: Settings) -> Finding:
    url, shown = settings.openai_base_url, without_password(settings.openai_base_url)
    key = settings.openai_api_key.get_secret_value()
    # A password in the URL replaces the key in the Authorization header, as in the bot's own
    # requests.
    is_sent = key and "@" not in urlsplit(url).netloc
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
            session.get(
                f"{url}/videos",
                params={"limit": "1"},
                headers={"Authorization": f"Bearer {key}"} if is_sent else {},
            ) as response,
        ):
            status, answer = response.status, await _start_of(response)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return Finding(
            subject=_SUBJECT,
            ok=False,
            found=f"openai: no answer from {shown} ({type(error).__name__})",
            advice="start that server, or correct OPENAI_BASE_URL",
        )
    return _refused_by_openai(shown, status, answer) or await _usable(settings, lists=status == _OK)


async def _start_of(response: aiohttp.ClientResponse) -> str:
    return (await response.content.read(_MAX_ANSWER)).decode("utf-8", "replace")


def _refused_by_openai(url: str, status: int, answer: str) -> Finding | None:
    if status == 401:  # noqa: PLR2004 - HTTP's
        return _refused_key(url, str(status))
    if status == 403:  # noqa: PLR2004 - HTTP's
        return _forbidden(url, answer)
    if status == 404:  # noqa: PLR2004 - HTTP's
        return Finding(
            subject=_SUBJECT,
            ok=False,
            found=f"openai: {url} has no /videos",
            advice="OPENAI_BASE_URL usually ends with /v1",
        )
    if status in _UNAVAILABLE:
        return Finding(
            subject=_SUBJECT,
            ok=False,
            found=f"openai: {url} is unavailable at the moment ({status})",
            advice="try again later; if that server is yours, check its log",
        )
    # Some servers work although they have no list of videos. They respond with 400 or 405.
    return None


def _forbidden(url: str, answer: str) -> Finding:
    match refusal_words.kind_of_text(answer):
        case ErrorKind.AUTH:
            return _refused_key(url, "403")
        case ErrorKind.BALANCE:
            found, advice = "out of credit (403)", "top up the account of OPENAI_API_KEY"
        case _:
            found = "responds with 403 for an unknown reason"
            advice = (
                "ask the provider whether the cause is the key, this machine's address or the list "
                "of videos; if the cause is the key, correct OPENAI_API_KEY"
            )
    return Finding(subject=_SUBJECT, ok=False, found=f"openai: {url}: {found}", advice=advice)


def _refused_key(url: str, reason: str) -> Finding:
    return Finding(
        subject=_SUBJECT,
        ok=False,
        found=f"openai: {url} refuses the key ({reason})",
        advice="correct OPENAI_API_KEY",
    )


async def _usable(settings: Settings, *, lists: bool) -> Finding:
    url, key = settings.openai_base_url, settings.openai_api_key.get_secret_value()
    shown = without_password(url)
    backend = OpenAIVideos(base_url=url, api_key=key or None, timeouts=Timeouts(answer=_SECONDS))
    try:
        models = await backend.models()
    except BackendError as error:
        if error.kind is ErrorKind.AUTH:
            return _refused_key(shown, error.message)
        models = None
    finally:
        await backend.close()
    offered = replace(OPENAI, lengths=settings.clip_lengths)
    accepted = "key accepted" if lists or models else "key not checked"
    known, advice = _check_model(settings.model, models)
    parts = (
        f"{shown} answers",
        accepted if key else "no key",
        known,
        "price not published" + describe_lengths(settings, offered),
        _openai_updates(settings),
    )
    return Finding(
        subject=_SUBJECT, ok=not advice, found=f"openai: {', '.join(parts)}", advice=advice
    )


def _check_model(model: str | None, models: frozenset[str] | None) -> tuple[str, str]:
    """Return a finding about the model, and advice if the server doesn't offer the model.

    The advice is "" if there is nothing to do.
    """
    if model is None:
        return "default model", ""
    # A name with a star is a pattern, so the list of names is incomplete.
    if not models or any("*" in name for name in models):
        return f"model {model} not checked: the server has no complete list", ""
    if model in models:
        return f"model {model} known", ""
    listed = ", ".join(sorted(models)[:_MAX_LISTED_MODELS])
    advice = f"set VIDEO_MODEL to one of the server's models ({listed}), or to - for its default"
    return f"model {model} unknown", advice


def _openai_updates(settings: Settings) -> str:
    """Describe how the bot will learn that a video is finished."""
    if not settings.webhook_secrets:
        return "polling only (no OPENAI_WEBHOOK_SECRET)"
    reach = "" if settings.public_url else ", only from this network"
    return f"webhooks possible{reach}"


def _openrouter_updates(settings: Settings) -> str:
    if not settings.webhook_secrets:
        return "polling only (no OPENROUTER_WEBHOOK_SECRET)"
    if not settings.public_url.startswith("https://"):
        return "polling only (no PUBLIC_URL with https)"
    return "webhooks possible"


async def _openrouter(settings: Settings) -> Finding:
    from bot.backends.openrouter.adapter import OpenRouter
    from bot.backends.openrouter.models import check

    backend = OpenRouter(
        base_url=settings.openrouter_base_url,
        api_key=settings.openrouter_api_key.get_secret_value(),
        timeouts=Timeouts(answer=_SECONDS),
    )
    try:
        await backend.check_key()
        offers = await backend.offers()
        seconds, size = settings.video_seconds, settings.video_size
        offer = check(offers, model=settings.model, seconds=seconds, size=size)
    except BackendError as error:
        return _refused_by_openrouter(error, without_password(settings.openrouter_base_url))
    except StartupError as error:
        return Finding(
            subject=_SUBJECT, ok=False, found=f"openrouter: {error}", advice="correct that setting"
        )
    finally:
        await backend.close()
    offered = replace(OPENROUTER, lengths=offer.seconds)
    costs = describe_price(offer.second_price(size), settings, offered)
    updates = _openrouter_updates(settings)
    costs += describe_lengths(settings, offered)
    found = f"openrouter: key accepted, model {settings.model} known, {costs}, {updates}"
    return Finding(subject=_SUBJECT, ok=True, found=found)


def _refused_by_openrouter(error: BackendError, url: str) -> Finding:
    if error.kind is ErrorKind.AUTH:
        return Finding(
            subject=_SUBJECT,
            ok=False,
            found=f"openrouter: {url} refuses the key",
            advice="correct OPENROUTER_API_KEY",
        )
    return Finding(
        subject=_SUBJECT,
        ok=False,
        found=f"openrouter: {url} can't be used at the moment ({error.message})",
        advice="try again later, or correct OPENROUTER_BASE_URL",
    )


async def _gemini(settings: Settings) -> Finding:
    from bot.backends.gemini.adapter import Gemini
    from bot.backends.gemini.formats import list_price, response_format

    model, seconds, size = settings.model or "", settings.video_seconds, settings.video_size
    backend = Gemini(
        base_url=settings.gemini_base_url,
        api_key=settings.gemini_api_key.get_secret_value(),
        timeouts=Timeouts(answer=_SECONDS),
    )
    try:
        response_format(seconds=seconds, size=size)
        await backend.check_model(model)
    except StartupError as error:
        return Finding(
            subject=_SUBJECT, ok=False, found=f"gemini: {error}", advice="correct that setting"
        )
    except BackendError as error:
        return _refused_by_gemini(error, settings)
    finally:
        await backend.close()
    price = list_price(model=model, size=size)
    costs = describe_price(price and price.second_dollars, settings, GEMINI)
    costs += f" (price list of {price.as_of})" if price else ""
    costs += describe_lengths(settings, GEMINI)
    found = f"gemini (experimental): {model}, {costs}, polling only"
    return Finding(subject=_SUBJECT, ok=True, found=found)


def _refused_by_gemini(error: BackendError, settings: Settings) -> Finding:
    url = without_password(settings.gemini_base_url)
    match error.kind:
        case ErrorKind.AUTH:
            found, advice = f"{url} refuses the key", "correct GEMINI_API_KEY"
        case ErrorKind.GONE:
            found, advice = f"{url} has no model {settings.model}", "correct VIDEO_MODEL"
        case _:
            found = f"{url} can't be used at the moment ({error.message})"
            advice = "try again later, or correct GEMINI_BASE_URL"
    return Finding(subject=_SUBJECT, ok=False, found=f"gemini: {found}", advice=advice)

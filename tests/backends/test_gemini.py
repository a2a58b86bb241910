from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.backends.base import Listing, RemoteState
from bot.backends.gemini import formats
from bot.errors import BackendError, ErrorKind, WebhookError
from tests.support.providers.contract import GEMINI
from tests.support.providers.gemini_api import GeminiApi, answered
from tests.support.providers.gemini_setup import REQUEST, connected, submit
from tests.support.providers.openai_setup import NOW
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.backends.gemini.adapter import Gemini
    from bot.model import VideoRequest


@pytest.fixture
async def api() -> AsyncIterator[GeminiApi]:
    async with GeminiApi(clock=lambda: NOW) as server:
        yield server


@pytest.fixture
async def backend(api: GeminiApi) -> AsyncIterator[Gemini]:
    opened = connected(api)
    yield opened
    await opened.close()


async def refusal(backend: Gemini, request: VideoRequest = REQUEST) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await submit(backend, request)
    return caught.value


# --- the create ---


async def test_the_create_holds_the_request_and_asks_for_a_file(
    api: GeminiApi, backend: Gemini
) -> None:
    await submit(backend)
    (call,) = api.made("POST")
    assert call.path == "/v1/interactions"
    assert call.headers["Content-Type"] == "application/json"
    assert call.form == {
        "model": "gemini-omni-1.2-flash",
        "input": REQUEST.prompt,
        "background": True,
        "store": True,
        "response_format": {
            "type": "video",
            "resolution": "720p",
            "aspect_ratio": "16:9",
            "duration": "8s",
            "delivery": "uri",
        },
    }


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ("640x360", ("16:9", "360p")),
        ("720x1280", ("9:16", "720p")),
        ("1920x1080", ("16:9", "1080p")),
        ("2160x3840", ("9:16", "4k")),
    ],
)
async def test_a_size_is_an_aspect_ratio_and_a_resolution(
    api: GeminiApi, backend: Gemini, size: str, shape: tuple[str, str]
) -> None:
    await submit(backend, replace(REQUEST, size=size))
    asked = api.made("POST")[0].form["response_format"]
    assert (asked["aspect_ratio"], asked["resolution"]) == shape


@pytest.mark.parametrize("changes", [{"seconds": 2}, {"seconds": 16}, {"size": "1024x1024"}])
async def test_an_unsupported_format_is_not_requested(
    api: GeminiApi, backend: Gemini, changes: dict[str, Any]
) -> None:
    error = await refusal(backend, replace(REQUEST, **changes))
    assert (type(error), error.kind) == (BackendError, ErrorKind.INVALID)
    assert not api.calls


def google(status: int, message: str, *details: dict[str, Any], word: str = "") -> Fault:
    error = {"code": status, "message": message, "status": word, "details": list(details)}
    return Fault(status=status, body={"error": error})


DELAY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("fault", "kind", "delay"),
    [
        (google(400, "API key not valid.", word="INVALID_ARGUMENT"), ErrorKind.AUTH, None),
        (google(400, "API key expired. Renew it."), ErrorKind.AUTH, None),
        (google(403, "Permission denied", word="PERMISSION_DENIED"), ErrorKind.AUTH, None),
        (google(400, "input: must be set", word="INVALID_ARGUMENT"), ErrorKind.INVALID, None),
        (google(404, "models/x is not found", word="NOT_FOUND"), ErrorKind.SETUP, None),
        (google(429, f"{QUOTA} limit: 10", DELAY), ErrorKind.RATE, 34.5),
        (google(429, "Resource exhausted", word="RESOURCE_EXHAUSTED"), ErrorKind.RATE, None),
        (google(429, f"{QUOTA} Please retry in 34.5s."), ErrorKind.RATE, 34.5),
        (google(429, QUOTA), ErrorKind.BALANCE, None),
        (google(429, f"{QUOTA} limit: 0, model: x", DELAY), ErrorKind.BALANCE, 34.5),
        (Fault(status=429, body=[google(429, QUOTA, DELAY).body]), ErrorKind.RATE, 34.5),
        (
            Fault(status=429, body={"error": {"code": "too_many_requests", "message": "quota"}}),
            ErrorKind.RATE,
            None,
        ),
        (google(400, "Blocked", {"reason": "SAFETY"}), ErrorKind.MODERATED, None),
        (google(400, "It violates our usage guidelines"), ErrorKind.MODERATED, None),
    ],
)
async def test_a_refusal_of_google_has_a_kind(
    api: GeminiApi, backend: Gemini, fault: Fault, kind: ErrorKind, delay: float | None
) -> None:
    api.add_faults("create", fault)
    error = await refusal(backend)
    assert (type(error), error.kind, error.retry_after) == (BackendError, kind, delay)


async def test_a_blocked_prompt_is_moderated(api: GeminiApi, backend: Gemini) -> None:
    error = await refusal(backend, replace(REQUEST, prompt="[blocked] a plan"))
    assert error.kind is ErrorKind.MODERATED
    assert not api.creates


# --- the end of a job ---


@pytest.mark.parametrize(
    ("job", "kind", "message"),
    [
        ({"errors": [{"code": "SAFETY", "message": "no"}]}, ErrorKind.MODERATED, "SAFETY: no"),
        ({"errors": [{"message": "out of GPUs"}]}, ErrorKind.INTERNAL, "out of GPUs"),
        ({"error": {"code": 400, "message": "x"}, "errors": []}, ErrorKind.INVALID, "400: x"),
        ({"status": "budget_exceeded"}, ErrorKind.BALANCE, "budget_exceeded"),
        ({"status": "requires_action"}, ErrorKind.INTERNAL, "requires_action"),
        ({"status": "incomplete"}, ErrorKind.INTERNAL, "incomplete"),
        (
            {"status": "completed", "steps": answered({"type": "text", "text": "I can't."})},
            ErrorKind.INTERNAL,
            "I can't.",
        ),
        (
            {
                "status": "completed",
                "steps": answered({"type": "text", "text": "Our safety policy forbids it."}),
            },
            ErrorKind.MODERATED,
            "safety policy",
        ),
        ({"status": "completed", "steps": answered()}, ErrorKind.INTERNAL, "holds no video"),
    ],
)
async def test_an_interaction_without_a_video_has_failed(
    api: GeminiApi, backend: Gemini, job: dict[str, Any], kind: ErrorKind, message: str
) -> None:
    ref = await submit(backend)
    api.jobs[ref] |= {"status": "failed"} | job
    update = await backend.poll(ref)
    assert update.state is RemoteState.FAILED
    assert update.error
    assert update.error.kind is kind
    assert message in update.error.message


async def test_a_finished_interaction_can_not_be_cancelled(api: GeminiApi, backend: Gemini) -> None:
    ref = await submit(backend)
    api.finish(ref)
    assert not await backend.cancel(ref)
    assert not await backend.cancel("another")


async def test_an_unconfirmed_create_can_not_be_looked_up(api: GeminiApi, backend: Gemini) -> None:
    ref = await submit(backend)
    found = await backend.find(REQUEST, hints=(ref,))
    assert found == Listing(refs=(), complete=False)
    assert len(api.calls) == 1


def test_every_webhook_is_refused() -> None:
    with pytest.raises(WebhookError):
        GEMINI.connect("http://127.0.0.1:1").parse_webhook({}, b"{}", now=NOW)


# --- the price ---


def test_a_listed_price_is_found() -> None:
    price = formats.list_price(model="gemini-omni-1.2-flash", size="1280x720")
    assert price
    assert price.second_dollars == pytest.approx(0.0695)
    assert price.as_of == "2026-11"


@pytest.mark.parametrize(
    ("model", "size"),
    [("gemini-omni-1.2-flash", "2x2"), ("another", "1280x720")],
)
def test_no_price_is_invented(model: str, size: str) -> None:
    assert formats.list_price(model=model, size=size) is None

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.backends.base import Listing, Webhook
from bot.backends.openrouter import models
from bot.errors import BackendError, ErrorKind, StartupError, WebhookError
from bot.pacing import PollIntervals
from bot.web.webhooks import WEBHOOK_PATH
from tests.support.media.clips import make_clip
from tests.support.providers.contract import OPENROUTER
from tests.support.providers.openai_setup import MAX_BYTES, NOW, bytes_of
from tests.support.providers.openrouter_api import OpenRouterApi, model
from tests.support.providers.stand_in import Fault
from tests.support.wire import FAST, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.backends.openrouter.adapter import OpenRouter
    from bot.model import VideoRequest

REQUEST = OPENROUTER.request
HD = {"seconds": 8, "size": "1280x720"}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def api(clip: Path) -> AsyncIterator[OpenRouterApi]:
    async with OpenRouterApi(clip=clip, clock=lambda: NOW) as server:
        yield server


def connected(api: OpenRouterApi, **settings: Any) -> OpenRouter:
    backend: Any = OPENROUTER.connect(api.base_url, **settings)
    return backend


@pytest.fixture
async def backend(api: OpenRouterApi) -> AsyncIterator[OpenRouter]:
    opened = connected(api)
    yield opened
    await opened.close()


async def refusal(backend: OpenRouter, request: VideoRequest = REQUEST) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await backend.submit(request, create_key="k")
    return caught.value


# --- the create ---


async def test_the_create_holds_the_request_and_nothing_else(
    api: OpenRouterApi, backend: OpenRouter
) -> None:
    await backend.submit(REQUEST, create_key="k")
    (call,) = api.made("POST")
    assert call.headers["Content-Type"] == "application/json"
    assert call.form == {
        "model": "google/veo-3.1",
        "prompt": REQUEST.prompt,
        "duration": 8,
        "size": "1280x720",
    }


async def test_a_create_may_ask_for_a_callback(api: OpenRouterApi) -> None:
    backend = connected(api, callback_url="https://clapper.example/hook")
    await backend.submit(REQUEST, create_key="k")
    await backend.close()
    assert api.made("POST")[0].form["callback_url"] == "https://clapper.example/hook"


async def test_a_refusal_has_the_kind_of_its_reason(
    api: OpenRouterApi, backend: OpenRouter
) -> None:
    blocked = await refusal(backend, replace(REQUEST, prompt="[blocked] my secret plan"))
    assert blocked.kind is ErrorKind.MODERATED
    assert "secret plan" not in str(blocked)
    assert (await refusal(backend, replace(REQUEST, seconds=5))).kind is ErrorKind.INVALID
    assert (await refusal(backend, replace(REQUEST, model="no/such"))).kind is ErrorKind.INVALID
    api.credits = 0
    assert (await refusal(backend)).kind is ErrorKind.BALANCE
    limited = {"error": {"code": 403, "message": "Key limit exceeded (weekly limit)."}}
    api.add_faults("create", Fault(status=403, body=limited))
    assert (await refusal(backend)).kind is ErrorKind.BALANCE
    assert not api.creates


# --- the clip ---


async def test_the_first_output_is_fetched(
    api: OpenRouterApi, backend: OpenRouter, tmp_path: Path
) -> None:
    ref = (await backend.submit(REQUEST, create_key="k")).ref
    api.finish(ref)
    done = await backend.poll(ref)
    assert (done.cost, done.expires_at, done.result_url) == (3.2, NOW + 3600, None)
    await backend.fetch(done, tmp_path / "v.mp4", max_bytes=MAX_BYTES)
    assert api.made("GET")[-1].query == {"index": "0"}


async def test_the_signed_copy_is_used_if_the_content_is_missing(
    api: OpenRouterApi, backend: OpenRouter, clip: Path, tmp_path: Path
) -> None:
    ref = (await backend.submit(REQUEST, create_key="k")).ref
    api.finish(ref)
    copy = f"{api.base_url}/videos/{ref}/content?index=0&sig=1"
    api.shape = lambda job: job | {"urls": [copy]}
    done = await backend.poll(ref)
    assert done.result_url == copy
    api.add_faults("content", Fault(status=404, body={"error": {"code": 404, "message": "gone"}}))
    await backend.fetch(done, tmp_path / "v.mp4", max_bytes=MAX_BYTES)
    assert bytes_of(tmp_path / "v.mp4") == bytes_of(clip)
    assert api.made("GET")[-1].query == {"index": "0", "sig": "1"}


async def test_a_hinted_job_is_found_but_never_certain(
    api: OpenRouterApi, backend: OpenRouter
) -> None:
    ref = (await backend.submit(REQUEST, create_key="k")).ref
    found = await backend.find(REQUEST, hints=(ref,))
    assert found == Listing(refs=(ref,), complete=False)
    assert found.echoes[ref].prompt is None
    assert not await backend.cancel(ref)
    assert {call.method for call in api.calls} == {"POST", "GET"}


# --- the models ---


async def test_the_list_of_models_is_read(backend: OpenRouter) -> None:
    await backend.check_key()
    first, _ = await backend.offers()
    assert first.names == ("google/veo-3.1", "google/veo-3.1-20260101")
    assert (first.seconds, first.has_sound) == ((4, 6, 8), True)
    assert models.check((first,), model="google/veo-3.1", **HD) is first
    assert models.check((first,), model="google/veo-3.1-20260101", **HD) is first


@pytest.mark.parametrize("body", [b"[]", b"no JSON", b'{"data": {}}', b'{"data": [1, {"id": 7}]}'])
async def test_an_answer_that_is_not_a_list_is_an_error(
    api: OpenRouterApi, backend: OpenRouter, body: bytes
) -> None:
    api.add_faults("models", Fault(status=200, body=body))
    with pytest.raises(BackendError, match="lists no models"):
        await backend.offers()
    api.add_faults("models", Fault(status=500, body=body))
    with pytest.raises(BackendError, match="HTTP 500"):
        await backend.offers()


def offer(**changes: Any) -> models.ModelOffer:
    (read,) = models.offers_in({"data": [model("a/b", **changes)]})
    return read


@pytest.mark.parametrize(
    ("presets", "sentence"),
    [
        ({"seconds": 5}, "VIDEO_SECONDS: a/b makes clips of 4, 6, 8 seconds, not 5."),
        (
            {"size": "640x360"},
            "VIDEO_SIZE: a/b makes 1280x720, 720x1280, 1920x1080, not 640x360.",
        ),
        ({"model": "sora-2"}, "VIDEO_MODEL: OpenRouter has no sora-2; it has a/b."),
    ],
)
def test_presets_that_the_model_can_not_make_are_explained(
    presets: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(StartupError) as caught:
        models.check((offer(),), **({"model": "a/b"} | HD | presets))
    assert str(caught.value) == sentence


def test_limits_that_the_list_does_not_give_are_not_enforced() -> None:
    silent = offer(supported_durations=None, supported_sizes=[])
    assert models.check((silent,), model="a/b", seconds=60, size="2x2") is silent


def test_of_many_models_some_are_named() -> None:
    many = models.offers_in({"data": [model(f"a/{n:02}") for n in range(40)]})
    with pytest.raises(StartupError, match=r"it has a/00, .*a/11, \.\.\.\.$"):
        models.check(many, model="b", **HD)


@pytest.mark.parametrize(
    ("skus", "sound", "dollars"),
    [
        ({"duration_seconds_with_audio": "0.40", "duration_seconds_without_audio": "1"}, True, 3.2),
        ({"duration_seconds_with_audio": "1", "duration_seconds_without_audio": "0.2"}, False, 1.6),
        ({"duration_seconds": "0.5", "duration_seconds_720p": "0.1"}, None, 0.8),
        ({"text_to_video_duration_seconds_720p": 0.2, "duration_seconds": "9"}, True, 1.6),
        ({"cents_per_second_output": "12", "cents_per_second_output_1080p": "90"}, True, 0.96),
        ({"cents_per_video_output_second_720p": "7"}, True, 0.56),
        ({"video_tokens": "0.000007"}, True, 1.2096),
        ({"duration_seconds": "free", "cents_per_second_output": "-1"}, True, None),
        ({"duration_seconds": "NaN", "cents_per_second_output": []}, True, None),
        ({"cents_per_image": "4"}, True, None),
        (None, True, None),
    ],
)
def test_a_price_is_estimated_where_the_list_says_enough(
    skus: object, dollars: float | None, *, sound: bool | None
) -> None:
    price = offer(pricing_skus=skus, generate_audio=sound).second_price(str(HD["size"]))
    assert price == (None if dollars is None else pytest.approx(dollars / 8))


def test_four_k_has_a_separate_price() -> None:
    assert offer().second_price("3840x2160") == pytest.approx(0.6)


# --- callbacks ---


def test_a_callback_is_identified_by_its_signed_body_not_by_its_unsigned_key() -> None:
    secret, _ = OPENROUTER.secrets
    backend = OPENROUTER.connect("http://127.0.0.1:1/v1", webhook_secrets=(secret,))
    headers, body = OPENROUTER.webhook("video_1")
    assert headers["X-OpenRouter-Idempotency-Key"] == "video_1-completed"
    told = Webhook(id="video_1-completed", ref="video_1")
    for key in ("video_1-completed", "another", ""):
        replayed = headers | {"X-OpenRouter-Idempotency-Key": key}
        assert backend.parse_webhook(replayed, body, now=NOW) == told


def test_one_of_several_signatures_is_enough() -> None:
    backend = OPENROUTER.connect("http://127.0.0.1:1/v1", webhook_secrets=OPENROUTER.secrets[:1])
    headers, body = OPENROUTER.webhook("video_1")
    name = "X-OpenRouter-Signature"
    time, _, right = headers[name].partition(",")
    for several in (f"{time},v1=00,{right}", f"{right}, {time}, v0=1"):
        assert backend.parse_webhook(headers | {name: several}, body, now=NOW)
    for wrong in (time, right, f"{time},v1={right[3:].upper()}", f"{time}," + "v1=0," * 16 + right):
        with pytest.raises(WebhookError):
            backend.parse_webhook(headers | {name: wrong}, body, now=NOW)


def test_a_secret_that_is_empty_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        OPENROUTER.connect("http://127.0.0.1:1/v1", webhook_secrets=(" ",))


# --- the whole bot ---

NEVER = PollIntervals(first=600.0, growth=1.0, ceiling=600.0)


def chosen(api: OpenRouterApi) -> dict[str, Any]:
    return {
        "video_backend": "openrouter",
        "video_model": "google/veo-3.1",
        "openrouter_base_url": api.base_url,
        "openrouter_api_key": "sk-or-made-up",
        "openrouter_webhook_secret": "or-secret-of-24-characters",
        "public_url": "https://clapper.example",
    }


@pytest.mark.parametrize(
    "fault", [Fault(), Fault(after=True, status=500, body={"error": "oops"})], ids=["well", "500"]
)
async def test_a_callback_delivers_the_video_even_if_the_answer_to_the_create_was_lost(
    tmp_path: Path, fault: Fault
) -> None:
    async with open_wire(tmp_path) as wire, OpenRouterApi(clip=wire.clip) as api:
        api.add_faults("create", fault)
        async with wire.bot(timing=replace(FAST, poll_intervals=NEVER), **chosen(api)):
            message = await wire.video("A cat")
            call = await api.wait_for("POST", "/videos")
            assert call.form["callback_url"] == f"https://clapper.example{WEBHOOK_PATH}"
            ref = await api.created()
            api.finish(ref)
            url = f"http://127.0.0.1:{wire.port}{WEBHOOK_PATH}"
            assert await api.send_callback(ref, url=url, secret="or-secret-of-24-characters") == 200
            await wire.wait_for_video(message)
            await wire.wait_for_job()
    assert len(api.made("POST")) == 1
    assert query(wire.data_dir, "SELECT backend, cost_usd FROM jobs") == [("openrouter", 3.2)]


async def test_presets_are_checked_at_the_start_if_the_list_can_be_read(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire, OpenRouterApi(clip=wire.clip) as api:
        settings = chosen(api) | {"video_seconds": 5}
        with pytest.raises(StartupError, match=r"^VIDEO_SECONDS: google/veo-3\.1 makes clips of"):
            async with wire.bot(**settings):
                pass
        api.add_faults("models", Fault(status=503, body=json.dumps({"error": "down"})))
        async with wire.bot(**settings):
            pass
    assert not api.creates

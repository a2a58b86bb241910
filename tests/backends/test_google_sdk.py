"""Tests of the stand-in, and of the adapter's requests, with Google's own SDK."""

from __future__ import annotations

import asyncio
import base64
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.media.clips import make_clip
from tests.support.providers.contract import GEMINI
from tests.support.providers.gemini_api import GeminiApi
from tests.support.providers.openai_setup import KEY, NOW, bytes_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.providers.stand_in import Call

REQUEST = GEMINI.request
ASKED: dict[str, Any] = {
    "model": REQUEST.model,
    "input": REQUEST.prompt,
    "background": True,
    "store": True,
    "response_format": {
        "type": "video",
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "duration": "8s",
        "delivery": "uri",
    },
}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def api(clip: Path) -> AsyncIterator[GeminiApi]:
    async with GeminiApi(clip=clip, key=KEY, clock=lambda: NOW) as server:
        yield server


def imported(module: str = "") -> Any:
    """Import the SDK, or a module of it, which takes longer than collecting 500 tests."""
    return import_module(f"google.genai.{module}".rstrip("."))


async def ask(api: GeminiApi, question: Callable[[Any], Any], *, key: str = KEY) -> Any:
    """Call the SDK's synchronous API in a thread: its asynchronous one raises warnings."""
    options: Any = {"base_url": api.base_url, "client_args": {"trust_env": False}}

    def work() -> Any:
        with imported().Client(api_key=key, http_options=options) as sdk:
            return question(sdk)

    return await asyncio.to_thread(work)


async def test_the_sdk_makes_an_interaction_from_the_prompt_to_the_file(
    api: GeminiApi, clip: Path
) -> None:
    created = await ask(api, lambda google: google.interactions.create(**ASKED))
    assert created.status == "queued"
    api.progress(created.id, 50)
    running = await ask(api, lambda google: google.interactions.get(id=created.id))
    assert running.status == "in_progress"
    api.finish(created.id)
    done = await ask(api, lambda google: google.interactions.get(id=created.id))
    assert (done.status, done.output_video.mime_type) == ("completed", "video/mp4")
    (name,) = api.files
    assert done.output_video.uri == f"{api.base_url}/v1beta/files/{name}:download?alt=media"
    stored = await ask(api, lambda google: google.files.get(name=f"files/{name}"))
    assert stored.state.name == "ACTIVE"
    content = await ask(api, lambda google: google.files.download(file=f"files/{name}"))
    assert content == bytes_of(clip)


async def test_the_sdk_finds_an_inline_clip(api: GeminiApi, clip: Path) -> None:
    api.synchronous = api.inline = True
    done = await ask(api, lambda google: google.interactions.create(**ASKED))
    assert base64.b64decode(done.output_video.data) == bytes_of(clip)


async def test_the_sdk_reads_the_end_of_an_interaction(api: GeminiApi) -> None:
    ref = (await ask(api, lambda google: google.interactions.create(**ASKED))).id
    stopped = await ask(api, lambda google: google.interactions.cancel(id=ref))
    assert stopped.status == "cancelled"
    api.fail(ref, "SAFETY", "no")
    (error,) = (await ask(api, lambda google: google.interactions.get(id=ref))).errors
    assert (error.code, error.message) == ("SAFETY", "no")


async def test_the_sdk_finds_the_models(api: GeminiApi) -> None:
    found = await ask(api, lambda google: google.models.get(model=REQUEST.model))
    assert found.name == f"models/{REQUEST.model}"
    with pytest.raises(imported("errors").ClientError) as caught:
        await ask(api, lambda google: google.models.get(model="gemini-omni-0"))
    assert caught.value.code == 404


async def test_the_sdk_reads_refusals(api: GeminiApi) -> None:
    with pytest.raises(Exception, match="API key not valid"):
        await ask(api, lambda google: google.interactions.create(**ASKED), key="another")
    blocked = ASKED | {"input": "[blocked] a plan"}
    with pytest.raises(Exception, match="PROHIBITED_CONTENT"):
        await ask(api, lambda google: google.interactions.create(**blocked))


async def test_the_adapter_sends_the_same_requests_as_the_sdk(api: GeminiApi) -> None:
    ref = (await ask(api, lambda google: google.interactions.create(**ASKED))).id
    await ask(api, lambda google: google.interactions.get(id=ref))
    await ask(api, lambda google: google.interactions.cancel(id=ref))
    theirs, api.calls = api.calls, []
    backend = GEMINI.connect(api.base_url)
    await backend.submit(REQUEST, create_key="k")
    await backend.poll(ref)
    await backend.cancel(ref)
    await backend.close()
    assert [told(call) for call in api.calls] == [told(call) for call in theirs]


def told(call: Call) -> tuple[str, str, object, str | None]:
    return call.method, call.path, call.form, call.headers.get("x-goog-api-key")


async def test_every_answer_has_the_types_that_the_sdk_declares(api: GeminiApi) -> None:
    ref = (await ask(api, lambda google: google.interactions.create(**ASKED))).id
    validate = imported("interactions").Interaction.model_validate
    validate(api.jobs[ref])
    api.progress(ref, 50)
    validate(api.jobs[ref])
    api.finish(ref)
    validate(api.jobs[ref])
    api.fail(ref, "SAFETY", "no")
    validate(api.jobs[ref])

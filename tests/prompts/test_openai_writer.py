"""The writer that asks a chat model for a brief, against correct and faulty servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel, ConfigDict

from bot.errors import BackendError, ErrorKind
from bot.prompts.openai_writer import OpenAIWriter
from bot.prompts.reading import PromptReader
from tests.support.providers.chat_api import BRIEF, MODEL, ChatApi
from tests.support.providers.stand_in import Fault
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

READER = PromptReader.load()
WORDS = "A boat"
ROOM = 2000


@pytest.fixture
async def api() -> AsyncGenerator[ChatApi]:
    async with ChatApi(key="sk-right") as opened:
        yield opened


@pytest.fixture
async def writer(api: ChatApi) -> AsyncGenerator[OpenAIWriter]:
    opened = make(api.base_url)
    yield opened
    await opened.close()


def make(base_url: str, *, seconds: float = 5.0, api_key: str | None = "sk-right") -> OpenAIWriter:
    return OpenAIWriter(READER, base_url=base_url, api_key=api_key, model=MODEL, seconds=seconds)


async def refused(writer: OpenAIWriter) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await writer.write(WORDS, room=ROOM)
    return caught.value


async def test_the_official_sdk_works_with_the_stand_in(api: ChatApi) -> None:
    class Brief(BaseModel):
        model_config = ConfigDict(extra="forbid")
        setting: str | None
        light: str | None

    async with AsyncOpenAI(
        base_url=api.base_url,
        api_key="sk-right",
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        parsed = await sdk.chat.completions.parse(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], response_format=Brief
        )
        assert parsed.choices[0].message.parsed == Brief(
            setting=BRIEF["setting"], light=BRIEF["light"]
        )
        assert MODEL in [model.id async for model in sdk.models.list()]


async def test_the_words_are_kept_and_the_model_fills_in_the_rest(
    api: ChatApi, writer: OpenAIWriter
) -> None:
    written = await writer.write(WORDS, room=ROOM)
    assert written == (
        "A boat\n\nA quiet harbour.\nA slow push in.\nSoft morning light.\nWaves roll gently."
    )
    (call,) = api.calls
    assert call.headers["Authorization"] == "Bearer sk-right"
    assert call.form["messages"][1] == {"role": "user", "content": WORDS}
    assert "instructions" in call.form["messages"][0]["content"]


async def test_details_that_the_words_name_are_dropped_from_the_models_brief(
    writer: OpenAIWriter,
) -> None:
    written = await writer.write("A boat at night, close-up", room=ROOM)
    assert "morning light" not in written
    assert "push in" not in written
    assert "Waves roll" in written


async def test_a_rich_prompt_is_sent_unchanged_without_a_request(
    api: ChatApi, writer: OpenAIWriter
) -> None:
    rich = "Wide shot of a boat on a lake at dawn, slow pan, oil painting"
    assert await writer.write(rich, room=ROOM) == rich
    assert await writer.write(WORDS, room=len(WORDS)) == WORDS
    assert api.calls == []


async def test_a_model_may_add_nothing(api: ChatApi, writer: OpenAIWriter) -> None:
    api.brief = {}
    assert await writer.write(WORDS, room=ROOM) == WORDS


async def test_the_models_brief_is_cut_to_whole_lines(writer: OpenAIWriter) -> None:
    room = len("A boat\n\nA quiet harbour.\nA slow push in.")
    written = await writer.write(WORDS, room=room + 5)
    assert written == "A boat\n\nA quiet harbour.\nA slow push in."


async def test_each_sentence_becomes_one_line(api: ChatApi, writer: OpenAIWriter) -> None:
    api.brief["setting"] = " A quiet\n\n  harbour. "
    assert "\n\nA quiet harbour.\nA slow" in await writer.write(WORDS, room=ROOM)


NO_BRIEFS = [
    "",
    "null",
    "[]",
    "A boat in a harbour.",
    "{" * 100_000,
    json.dumps({"setting": "A quiet harbour."}),
    json.dumps(BRIEF | {"style": "noir"}),
    json.dumps(BRIEF | {"light": 5}),
    json.dumps(BRIEF | {"light": ["soft"]}),
    json.dumps(BRIEF | {"light": "x" * 301}),
    json.dumps(BRIEF | {"light": "soft\u202e"}),
    json.dumps(BRIEF | {"light": "soft\ud800"}),
]


@pytest.mark.parametrize("content", NO_BRIEFS, ids=range(len(NO_BRIEFS)))
async def test_an_answer_that_is_not_a_brief_is_refused(
    api: ChatApi, writer: OpenAIWriter, content: str
) -> None:
    api.content = content
    assert "brief" in (await refused(writer)).message


ODD: list[object] = [
    {},
    {"choices": []},
    {"choices": [{}]},
    {"choices": [{"message": {"content": None, "refusal": "I can't help with that."}}]},
    {"choices": "none"},
    [1],
]


@pytest.mark.parametrize("body", ODD, ids=json.dumps)
async def test_an_answer_without_text_is_refused(
    api: ChatApi, writer: OpenAIWriter, body: object
) -> None:
    api.add_faults("chat", Fault(status=200, body=body))
    assert (await refused(writer)).message == "the answer holds no text"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=401, body={"error": {"message": "bad key sk-right"}}), ErrorKind.AUTH),
        (Fault(status=402, body={}), ErrorKind.BALANCE),
        (Fault(status=404, body={}), ErrorKind.GONE),
        (Fault(status=429, body={}), ErrorKind.RATE),
        (Fault(status=500, body="boom"), ErrorKind.TRANSIENT),
        (Fault(status=302, body={}, headers={"Location": "/v1/models"}), ErrorKind.TRANSIENT),
        (Fault(status=200, body="<html>"), ErrorKind.TRANSIENT),
        (Fault(cut=True), ErrorKind.TRANSIENT),
        (Fault(reset=True), ErrorKind.TRANSIENT),
        (Fault(status=200, body=b"[" + b"1," * 3_000_000 + b"1]"), ErrorKind.TRANSIENT),
    ],
)
async def test_a_server_that_refuses_or_breaks_is_asked_once(
    api: ChatApi, writer: OpenAIWriter, fault: Fault, kind: ErrorKind
) -> None:
    api.add_faults("chat", fault)
    error = await refused(writer)
    assert error.kind is kind
    assert "sk-right" not in str(error)
    assert len(api.calls) == 1


async def test_a_server_that_does_not_answer_is_not_waited_for(api: ChatApi) -> None:
    api.add_faults("chat", Fault(hang=True))
    writer = make(api.base_url, seconds=0.2)
    assert "no answer" in (await refused(writer)).message
    await writer.close()


@pytest.mark.parametrize("how", ["closed", "without a key"])
async def test_an_unreachable_server_or_a_missing_key_is_an_error(
    api: ChatApi, how: Literal["closed", "without a key"]
) -> None:
    closed = how == "closed"
    url = f"http://127.0.0.1:{free_port()}/v1" if closed else api.base_url
    writer = make(url, api_key=None)
    error = await refused(writer)
    assert error.kind is (ErrorKind.TRANSIENT if closed else ErrorKind.AUTH)
    assert closed or "Authorization" not in api.calls[0].headers
    await writer.close()

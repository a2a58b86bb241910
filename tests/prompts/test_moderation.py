"""Moderation: a text that is refused, or can't be checked, is not sent and costs nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from openai import AsyncOpenAI

from bot.delivery.views.button_ids import Action
from bot.delivery.views.card_buttons import buttons_for
from bot.errors import BackendError, ErrorKind
from bot.model import JobState, text_attachment
from bot.moderation.base import Reason
from bot.moderation.openai_moderation import OpenAIModerator
from tests.support.fakes.bench import CAPS, Bench, open_bench
from tests.support.fakes.orders import REQUEST, VOICE, origin
from tests.support.fakes.prompts import FakeModerator, FakeWriter
from tests.support.providers.chat_api import CATEGORIES, MODERATION_MODEL, ChatApi
from tests.support.providers.stand_in import Fault
from tests.support.wire import free_port, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.clock import Clock


@pytest.fixture
async def api() -> AsyncGenerator[ChatApi]:
    async with ChatApi(key="sk-right") as opened:
        yield opened


@pytest.fixture
async def moderator(api: ChatApi) -> AsyncGenerator[OpenAIModerator]:
    opened = OpenAIModerator(base_url=api.base_url, api_key="sk-right", seconds=5.0)
    yield opened
    await opened.close()


async def refused(moderator: OpenAIModerator, *texts: str) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await moderator.check(texts or ("a cat",))
    return caught.value


# The moderator


async def test_the_official_sdk_works_with_the_stand_in(api: ChatApi) -> None:
    api.flagged["gore"] = "violence/graphic"
    async with AsyncOpenAI(
        base_url=api.base_url,
        api_key="sk-right",
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        answer = await sdk.moderations.create(model=MODERATION_MODEL, input=["a cat", "gore"])
    fine, flagged = answer.results
    assert (fine.flagged, flagged.flagged) == (False, True)
    assert flagged.categories.violence_graphic
    assert not flagged.categories.violence
    assert flagged.category_scores.violence_graphic > 0.9
    assert fine.category_applied_input_types.hate == ["text"]


async def test_harmless_words_pass(api: ChatApi, moderator: OpenAIModerator) -> None:
    assert await moderator.check(["a cat"]) is None
    (call,) = api.calls
    assert call.form == {"model": "omni-moderation-latest", "input": ["a cat"]}
    assert call.headers["Authorization"] == "Bearer sk-right"


@pytest.mark.parametrize("category", [*CATEGORIES, "something-new", "something/new"])
async def test_every_category_has_a_reason(
    api: ChatApi, moderator: OpenAIModerator, category: str
) -> None:
    verdict = {"flagged": True, "categories": {"hate": False} | {category: True}}
    api.add_faults("moderate", Fault(status=200, body={"results": [verdict]}))
    reason = await moderator.check(["bad"])
    assert reason is not None
    assert (reason is Reason.OTHER) is (category not in CATEGORIES)


async def test_the_gravest_reason_of_all_texts_is_returned(
    api: ChatApi, moderator: OpenAIModerator
) -> None:
    api.flagged = {"gore": "violence", "worse": "sexual/minors", "rude": "harassment"}
    assert await moderator.check(["gore rude", "a cat"]) is Reason.HARASSMENT
    assert await moderator.check(["gore", "worse"]) is Reason.MINORS


@pytest.mark.parametrize("categories", [{}, None, {"hate": False}, {"hate": "yes"}, []])
async def test_a_text_that_is_flagged_without_a_category_is_refused(
    api: ChatApi, moderator: OpenAIModerator, categories: object
) -> None:
    verdict = {"flagged": True, "categories": categories}
    api.add_faults("moderate", Fault(status=200, body={"results": [verdict]}))
    assert await moderator.check(["bad"]) is Reason.OTHER


ODD: list[object] = [
    {},
    [],
    {"results": None},
    {"results": []},
    {"results": [{}]},
    {"results": [None]},
    {"results": [{"flagged": None, "categories": {}}]},
    {"results": [{"flagged": "false"}]},
    {"results": [{"flagged": False}, {"flagged": False}]},
]


@pytest.mark.parametrize("body", ODD, ids=json.dumps)
async def test_an_answer_that_does_not_judge_the_text_is_an_error(
    api: ChatApi, moderator: OpenAIModerator, body: object
) -> None:
    api.add_faults("moderate", Fault(status=200, body=body))
    assert (await refused(moderator)).kind is ErrorKind.TRANSIENT


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=401, body={"error": {"message": "bad key sk-right"}}), ErrorKind.AUTH),
        (Fault(status=429, body={}, headers={"Retry-After": "7"}), ErrorKind.RATE),
        (Fault(status=500, body="boom"), ErrorKind.TRANSIENT),
        (Fault(status=302, body={}, headers={"Location": "/v1/models"}), ErrorKind.TRANSIENT),
        (Fault(status=200, body="fine"), ErrorKind.TRANSIENT),
        (Fault(reset=True), ErrorKind.TRANSIENT),
        (Fault(status=200, body=b"[" + b"1," * 3_000_000 + b"1]"), ErrorKind.TRANSIENT),
    ],
)
async def test_a_service_that_refuses_or_fails_is_an_error(
    api: ChatApi, moderator: OpenAIModerator, fault: Fault, kind: ErrorKind
) -> None:
    api.add_faults("moderate", fault)
    error = await refused(moderator)
    assert (error.kind, error.retry_after) == (kind, 7.0 if kind is ErrorKind.RATE else None)
    assert "sk-right" not in str(error)
    assert len(api.calls) == 1


async def test_a_service_that_does_not_answer_is_not_waited_for(api: ChatApi) -> None:
    api.add_faults("moderate", Fault(hang=True))
    moderator = OpenAIModerator(base_url=api.base_url, api_key="sk-right", seconds=0.2)
    assert "no answer" in (await refused(moderator)).message
    await moderator.close()


# Jobs


@pytest.fixture
def fake() -> FakeModerator:
    return FakeModerator()


@pytest.fixture
def writer() -> FakeWriter:
    return FakeWriter()


@pytest.fixture
async def bench(
    tmp_path: Path, clock: Clock, fake: FakeModerator, writer: FakeWriter
) -> AsyncGenerator[Bench]:
    async with open_bench(tmp_path, clock, moderator=fake, writer=writer) as opened:
        yield opened


async def test_a_finding_fails_the_job_with_its_reason_and_costs_nothing(
    bench: Bench, fake: FakeModerator, writer: FakeWriter
) -> None:
    fake.reasons["roof"] = Reason.VIOLENCE
    job = await bench.submit(attachment=VOICE)
    ended = await bench.run_out(job.id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.found_violence")
    assert bench.deliverer.cards[job.id] == "failed.found_violence"
    assert (bench.backend.posts, writer.written, ended.submitted_at) == (0, [], None)
    assert (await bench.cap_store.usage(origin(), CAPS, now=bench.clock())).today == 0
    assert buttons_for(ended) == (Action.EDIT, Action.DELETE)


async def test_the_requesters_own_words_are_checked_once(bench: Bench, fake: FakeModerator) -> None:
    bench.backend.refusals += [BackendError(ErrorKind.RATE, "busy")] * 2
    await bench.at(JobState.SUCCEEDED)
    assert bench.backend.posts == 3
    assert fake.checked == [REQUEST.prompt]


async def test_nothing_is_sent_while_the_service_fails(bench: Bench, fake: FakeModerator) -> None:
    fake.faults += [BackendError(ErrorKind.TRANSIENT, "down")] * 3
    job = await bench.at(JobState.QUEUED)
    began = bench.clock()
    waits: list[float] = []
    for _ in range(3):
        waiting = await bench.step(job.id)
        assert (waiting.state, bench.backend.posts) == (JobState.QUEUED, 0)
        assert waiting.next_at is not None
        waits.append(waiting.next_at - bench.clock())
    assert waits == [2.0, 4.0, 8.0]
    bench.backend.finish()
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.clock() - began >= 14


async def test_the_service_is_not_asked_sooner_than_it_says_nor_too_late(
    bench: Bench, fake: FakeModerator
) -> None:
    fake.faults += [
        BackendError(ErrorKind.RATE, "busy", retry_after=seconds) for seconds in (20.0, 9000.0)
    ]
    job = await bench.at(JobState.QUEUED)
    for seconds in (20.0, 60.0):
        assert (await bench.step(job.id)).next_at == bench.clock() + seconds


async def test_a_service_that_keeps_failing_fails_the_job_uncharged(
    bench: Bench, fake: FakeModerator
) -> None:
    fake.faults += [BackendError(ErrorKind.TRANSIENT, "down")] * 99
    job = await bench.submit()
    ended = await bench.run_out(job.id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.unchecked")
    assert bench.backend.posts == 0
    assert len(fake.faults) == 99 - 6
    assert buttons_for(ended) == (Action.AGAIN, Action.EDIT, Action.DELETE)


async def test_again_is_checked_like_everything_else(bench: Bench, fake: FakeModerator) -> None:
    await bench.at(JobState.SUCCEEDED)
    fake.reasons["roof"] = Reason.HATE
    again = await bench.submit()
    assert (await bench.run_out(again.id)).state is JobState.FAILED
    assert bench.backend.posts == 1


async def test_the_prompt_of_a_finished_video_is_not_checked_again_for_a_narration(
    bench: Bench, fake: FakeModerator
) -> None:
    first = await bench.at(JobState.SUCCEEDED)
    fake.reasons["roof"] = Reason.HATE
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


# The whole bot, with real sockets


async def test_a_text_is_checked_before_it_is_spoken(bench: Bench, fake: FakeModerator) -> None:
    source = await bench.at(JobState.SUCCEEDED)
    fake.reasons["knife"] = Reason.VIOLENCE
    refused = await bench.submit(clip_of=source.id, attachment=text_attachment("Bring the knife"))
    ended = await bench.run_out(refused.id)
    assert (ended.state, bench.editor.spoken) == (JobState.FAILED, [])
    assert buttons_for(ended) == (Action.ATTACH, Action.DELETE)

    fake.faults.append(BackendError(ErrorKind.TRANSIENT, "down"))
    allowed = await bench.submit(clip_of=source.id, attachment=text_attachment("Bring the spoon"))
    assert (await bench.run_out(allowed.id)).state is JobState.SUCCEEDED
    assert bench.editor.spoken == [(allowed.id, "Bring the spoon")]


async def test_no_text_is_spoken_if_the_prompt_is_refused(
    bench: Bench, fake: FakeModerator
) -> None:
    fake.reasons["roof"] = Reason.VIOLENCE
    job = await bench.run_out(
        (await bench.submit(attachment=text_attachment("Bring the spoon"))).id
    )

    assert (job.state, bench.editor.spoken) == (JobState.FAILED, [])
    assert buttons_for(job) == (Action.ATTACH, Action.DELETE)


async def test_a_refusal_is_shown_on_the_card_and_nothing_is_sent(
    tmp_path: Path, api: ChatApi
) -> None:
    api.flagged["gore"] = "violence/graphic"
    async with (
        open_wire(tmp_path) as wire,
        wire.bot(
            moderation="openai", moderation_base_url=api.base_url, moderation_api_key="sk-right"
        ),
    ):
        card = await wire.video("some gore")
        await wire.wait_for_card_text(card, "An automatic check found violence in this text")
        assert "Nothing was charged." in card.text
        await wire.wait_for_job("failed")
        await wire.wait_for_video(await wire.video("a cat"))
    assert wire.creates() == 1
    assert query(wire.data_dir, "SELECT count(*) FROM jobs WHERE submitted_at IS NULL") == [(1,)]


async def test_a_word_list_is_read_at_the_start(tmp_path: Path) -> None:
    listed = tmp_path / "blocked.txt"
    listed.write_text("gore\n")
    url = f"http://127.0.0.1:{free_port()}/v1"
    async with (
        open_wire(tmp_path) as wire,
        wire.bot(blocked_words_file=str(listed), moderation="openai", moderation_base_url=url),
    ):
        answer = await wire.video("some GORE!")
        assert answer.ephemeral
        assert "isn't allowed here" in answer.text
        assert wire.rows() == []

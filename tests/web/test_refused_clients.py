"""Orders over HTTP that are refused, in the client's language, and what stays open meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import UnconfirmedSubmitError
from bot.model import JobState
from bot.texts import Moment, Texts
from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE, Change, Setting
from tests.support.clients.site import FORM, OTHER_TOKEN, TOKEN, open_site
from tests.support.desk import make_narrator
from tests.support.fakes.media import FakeVoice
from tests.support.tables import rows_of

if TYPE_CHECKING:
    from tests.support.clients.site import Caller
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

TEXTS = Texts.load()
NO_JOB = "0" * 32
WORDS, UNTIL = "Back at noon.", 4_000_000_000
# What costs, or is the first part of an order.
ORDERS = {
    "POST /api/generate": {"json": FORM},
    "POST /api/narrate": {"json": {"text": "Hello"}},
    "GET /api/upload": {},
}
OF_A_JOB = (
    "POST /api/retry",
    "POST /api/cancel",
    "GET /api/status",
    "GET /api/download",
    "GET /api/poster",
    "POST /api/share",
    "DELETE /api/share",
    "DELETE /api/jobs",
)


async def undecided(caller: Caller, token: str) -> str:
    """Order a video whose create request gets no answer, and return the id of its job."""
    bench = caller.bench
    job_id = await caller.order({"scriptOrQuestion": f"Lost by {token}"}, token=token)
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    bench.backend.charge((await bench.now(job_id)).request)
    while (await bench.now(job_id)).state is not JobState.UNDECIDED:
        await bench.step(job_id)
    return job_id


async def refuse(caller: Caller, way: str, language: str, token: str | None) -> tuple[str, str]:
    """Send a request, and return the error's key and its sentence."""
    method, path = way.split()
    _, answer = await caller.ask(
        method,
        path,
        token=token,
        headers={"Accept-Language": language},
        **ORDERS.get(way, {}),
    )
    return answer["error"]["key"], answer["error"]["message"]


@pytest.mark.parametrize("language", ["en", "de", "ja"])
async def test_a_refused_client_is_answered_in_its_language_and_changes_nothing(
    bench: Bench, clock: Clock, language: str
) -> None:
    voice = FakeVoice(b"no sound")
    async with open_site(bench, narrator=make_narrator(bench, clock, voice)) as caller:
        made = await caller.made()
        own, others = [await undecided(caller, token) for token in (TOKEN, OTHER_TOKEN)]
        value = str(Pause(words=WORDS, until=UNTIL))
        pause = Change(scope=EVERYWHERE, name=Setting.PAUSE, value=value)
        await bench.access.change(pause, actor=None, now=clock())
        bench.refused_orders.clear()
        stored, posts = await rows_of(bench.database), bench.backend.posts

        paused = TEXTS("access.paused_until", language, words=WORDS, when=Moment(UNTIL))
        for way in (*ORDERS, f"POST /api/retry?jobId={own}"):
            key, sentence = await refuse(caller, way, language, TOKEN)
            assert key == "access.paused_until", way
            assert sentence.partition(WORDS)[0] == paused.partition(WORDS)[0]
        assert bench.refused_orders == ["access.paused_until"] * (len(ORDERS) + 1)
        for job_id in (others, NO_JOB):
            for way in OF_A_JOB:
                found = await refuse(caller, f"{way}?jobId={job_id}", language, TOKEN)
                assert found == ("api.unknown_job", TEXTS("api.unknown_job", language)), way
        for token in (None, "wrong-token-of-sixteen"):
            for way in (*ORDERS, f"POST /api/retry?jobId={own}"):
                found = await refuse(caller, way, language, token)
                assert found == ("api.unauthorized", TEXTS("api.unauthorized", language)), way
        assert await rows_of(bench.database) == stored
        assert (bench.backend.posts, voice.spoken) == (posts, [])

        # What the client has already is still open to it.
        assert (await caller.ask("GET", f"/api/status?jobId={made}"))[0] == 200
        assert {job["jobId"] for job in (await caller.ask("GET", "/api/jobs"))[1]["jobs"]} == {
            made,
            own,
        }
        assert (await caller.ask("POST", f"/api/cancel?jobId={own}"))[0] == 200
        headers = {"Authorization": f"Bearer {TOKEN}"}
        for method, path in (("GET", "/api/download"), ("DELETE", "/api/jobs")):
            url = f"{path}?jobId={made}"
            async with caller.http.request(method, url, headers=headers) as response:
                assert response.ok

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import BackendError, ErrorKind
from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE, Change, Setting
from storage.jobs.caps import Caps
from tests.support.clients import described
from tests.support.clients.site import FORM, TOKEN, Caller, open_site
from tests.support.fakes.bench import open_bench

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", r"You can try again on (\S+) at (\S+) UTC\."),
        ("de", r"Du kannst es am (\S+) um (\S+) UTC wieder versuchen\."),
        ("ja", r"次に試せるのはUTCで(\S+) (\S+?)です。"),
    ],
)
async def test_the_days_cap_tells_in_the_message_and_in_a_header_when_it_frees_up(
    tmp_path: Path, clock: Clock, language: str, sentence: str
) -> None:
    caps = Caps(open_per_user=5, open_in_all=5, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench, open_site(bench) as caller:
        await caller.order()
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Language": language}
        async with caller.http.post("/api/generate", json=FORM, headers=headers) as response:
            message = (await response.json())["error"]["message"]
            later = parsedate_to_datetime(response.headers["Retry-After"])
        assert response.status == 429

        # The header is exact; the message is rounded up to the minute.
        assert 0 < later.timestamp() - clock() - DAY <= 1
        found = re.search(sentence, message)
        assert found is not None, message
        until = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
        assert 0 <= (until - later).total_seconds() < 60
        clock.advance(later.timestamp() - clock())
        await caller.order()


async def order(caller: Caller, **headers: str) -> tuple[int, dict[str, Any], str | None]:
    sent = {"Authorization": f"Bearer {TOKEN}", **headers}
    async with caller.http.post("/api/generate", json=FORM, headers=sent) as response:
        answer = await response.json()
        described.check("POST", "/api/generate", response.status, answer)
        return response.status, answer, response.headers.get("Retry-After")


@pytest.mark.parametrize(
    ("kind", "key", "fix"),
    [
        (ErrorKind.AUTH, "api.provider_auth", "FAKE_API_KEY"),
        (ErrorKind.BALANCE, "api.provider_balance", "“Our GPU” is out of credit"),
        (ErrorKind.SETUP, "api.provider_setup", "FAKE_BASE_URL or VIDEO_MODEL"),
        (ErrorKind.SETUP, "api.provider_setup", "“Our GPU” has no video API"),
    ],
)
async def test_a_provider_that_refuses_the_bots_key_is_a_500_with_advice_for_the_operator(
    bench: Bench, kind: ErrorKind, key: str, fix: str
) -> None:
    bench.backend.refusals += [BackendError(kind, "no") for _ in range(4)]
    async with open_site(bench, service="Our GPU") as caller:
        accepted = [
            (await order(caller, **{"Idempotency-Key": f"{n}"}))[1]["jobId"] for n in range(3)
        ]
        for job_id in accepted:
            await bench.step(job_id)
            await bench.step(job_id)

        status, answer, later = await order(caller)
        assert (status, answer["error"]["key"], later) == (500, key, "30")
        assert fix in answer["error"]["message"]
        assert len(await caller.clients.page("web", limit=9)) == 3
        # Earlier jobs are kept, and repeating an accepted order is not a new one.
        assert (await order(caller, **{"Idempotency-Key": "0"}))[:2] == (
            200,
            {"jobId": accepted[0]},
        )

        # When a probe is due, an order is accepted again, because it may become the probe.
        bench.clock.advance(30)
        assert (await order(caller))[0] == 200


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "paused new requests"), ("de", "keine neuen Aufträge"), ("ja", "停止しています")],
)
async def test_a_pause_tells_clients_the_operators_words_and_when_to_order_again(
    bench: Bench, language: str, sentence: str
) -> None:
    until = int(bench.clock()) + 60
    value = str(Pause(words="Back at noon.", until=until))
    change = Change(scope=EVERYWHERE, name=Setting.PAUSE, value=value)
    await bench.access.change(change, actor=None, now=bench.clock())
    async with open_site(bench) as caller:
        status, answer, later = await order(caller, **{"Accept-Language": language})
        assert (status, answer["error"]["key"]) == (503, "access.paused_until")
        assert "Back at noon." in answer["error"]["message"]
        assert sentence in answer["error"]["message"]
        assert later is not None
        assert parsedate_to_datetime(later).timestamp() == until
        assert await bench.count_rows("jobs") == 0
        assert bench.refused_orders == ["access.paused_until"]
        assert bench.backend.posts == 0
        bench.clock.advance(61)
        assert (await order(caller))[0] == 200


async def test_orders_are_accepted_during_an_outage_of_the_provider(bench: Bench) -> None:
    bench.backend.refusals += [BackendError(ErrorKind.TRANSIENT, "no") for _ in range(3)]
    async with open_site(bench) as caller:
        for _ in range(3):
            job_id = await caller.order()
            await bench.step(job_id)
            await bench.step(job_id)
        found = await bench.circuits.get(bench.backend.name)
        assert found is not None
        assert found.is_open
        await caller.order()

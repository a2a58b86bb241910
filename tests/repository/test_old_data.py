"""Data that an earlier version stored, signed, sent and posted keeps its meaning."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from yarl import URL

from bot.errors import UserError
from bot.model import JobState
from bot.settings.fields import Settings
from bot.texts import Texts
from storage.database import open_database
from tests.support.desk import make_narrator
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.media import FakeVoice
from tests.support.old_install.app import API_TOKEN, METRICS_TOKEN, Running, run_old_app
from tests.support.old_install.install import (
    FOLDER,
    draw_all,
    fill_in,
    given,
    install,
    nameless,
    names_in,
    open_old_desk,
    press,
    seen,
)
from tests.support.old_install.names import error_keys, log_events, migrations, purposes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.desk import Desk

GIVEN: dict[str, Any] = given("given")
DRAWN: dict[str, Any] = given("drawn")
PRESSES: dict[str, list[dict[str, Any]]] = given("presses")
WEB: dict[str, Any] = given("web")
NAMES: dict[str, list[str]] = given("names")
NOW: float = GIVEN["now"]
JOBS: dict[str, str] = GIVEN["jobs"]
BEARER = {"Authorization": f"Bearer {API_TOKEN}"}
FORGED = "0" * 43
ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
DAY = 24 * 60 * 60.0
# The fields of rows that have another name than their column.
_FIELDS = {"told": "notified_reason", "told_at": "notified_at"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_old_desk(tmp_path, now=NOW) as opened:
        assert opened.fake_discord.world.user.id == GIVEN["user"]
        # The first sweep after an update records the files of earlier versions.
        bench = opened.bench
        await bench.kept_files.mend((await bench.workspace.inventory()).kept, now=NOW)
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Running]:
    """Start the new version on the old data once, and let it take up what the old one left."""
    dms = ["\n".join(DRAWN["told"]["dm"]), WEB["operator_dm"]]
    cards, folder = list(GIVEN["cards"].values()), tmp_path_factory.mktemp("old")
    async with run_old_app(folder, now=NOW, cards=cards, dms=dms) as opened:
        await _taken_up(opened)
        yield opened


async def test_old_jobs_stand_in_every_state_that_there_is(tmp_path: Path) -> None:
    data = install(tmp_path, at=NOW)
    async with open_database(data) as database:
        rows = await database.rows("SELECT DISTINCT state FROM jobs", {})
        assert {row["state"] for row in rows} == set(JobState)


async def test_an_old_database_only_gets_the_scripts_that_it_has_not_had(tmp_path: Path) -> None:
    data = install(tmp_path, at=NOW)
    async with open_database(data) as database:
        [version] = await database.rows("PRAGMA user_version", {})
        assert version[0] == len(migrations())
    assert migrations()[: len(NAMES["migrations"])] == NAMES["migrations"]


async def test_an_old_video_in_progress_is_not_given_up_for_what_a_server_echoes(
    tmp_path: Path,
) -> None:
    async with open_database(install(tmp_path, at=NOW)) as database:
        rows = await database.rows("SELECT state FROM jobs WHERE NOT echoes_order", {})
        assert {row["state"] for row in rows} == {"generating", "downloading"}


def test_every_key_in_the_old_table_names_a_sentence_in_every_language(tmp_path: Path) -> None:
    data, texts = install(tmp_path, at=NOW), Texts.load()
    with closing(sqlite3.connect(data / "clapper.db")) as connection:
        stored = connection.execute(
            "SELECT failure_key FROM jobs WHERE failure_key IS NOT NULL"
            " UNION SELECT note FROM jobs WHERE note IS NOT NULL"
        ).fetchall()
    assert len(stored) > 40
    for language in ("en", "de", "ja"):
        assert {key for (key,) in stored} <= texts.keys(language)


async def test_old_jobs_are_drawn_as_they_were(desk: Desk) -> None:
    drawn = await draw_all(desk, JOBS)
    assert drawn.keys() == DRAWN.keys()
    for name, views in DRAWN.items():
        assert drawn[name] == views, name


async def test_what_people_call_up_is_as_it_was(desk: Desk) -> None:
    for command, page in given("pages").items():
        answer = await desk.fake_discord.answer_to(await desk.fake_discord.slash(command))
        said = answer.payload["content"]
        assert ({"said": said} if said else seen(answer.payload["components"])) == page, command


async def test_old_buttons_and_forms_do_what_they_did(desk: Desk) -> None:
    def masked(outcome: dict[str, Any]) -> dict[str, Any]:
        return nameless(outcome, set(JOBS.values()).__contains__)

    for told in PRESSES["pages"]:
        card = _page_with(told["press"])
        assert masked(await press(desk, card, told["press"])) == told["outcome"], told["press"]
    for told in PRESSES["cards"]:
        card = DRAWN[told["job"]][told["view"]]
        assert masked(await press(desk, card, told["press"])) == told["outcome"], told["press"]
        assert (await desk.bench.now(JOBS[told["job"]])).state == told["state"], told["press"]
    voice = FOLDER / "files" / "narrations" / JOBS["narrated"]
    for told in PRESSES["forms"]:
        card = DRAWN[told["job"]][told["view"]]
        outcome = await fill_in(desk, card, told["press"], told["form"], voice)
        assert masked(outcome) == told["outcome"], told["press"]
        job = await desk.bench.now(JOBS[told["job"]])
        assert (job.deleted_at is not None) == told["deleted"], told["press"]
    for told in PRESSES["last"]:
        outcome = await press(desk, _page_with(told["press"]), told["press"], edits=told["edits"])
        assert masked(outcome) == told["outcome"], told["press"]


async def test_what_is_kept_is_found_and_swept_under_its_old_names(tmp_path: Path) -> None:
    data, clock = install(tmp_path, at=NOW), Clock(NOW)
    assert names_in(data) == NAMES["files"]
    async with open_bench(data, clock) as bench:
        await bench.retention.sweep()
        assert names_in(data) == NAMES["files"]
        clock.advance(40 * DAY)
        await bench.retention.sweep()
    assert names_in(data) == NAMES["files_after_sweep"]


async def test_what_was_spoken_is_not_paid_for_again(tmp_path: Path) -> None:
    clock, voice = Clock(NOW), FakeVoice(b"", name="old voice")
    async with open_bench(install(tmp_path, at=NOW), clock) as bench:
        recording = await make_narrator(bench, clock, voice).speak_for(**WEB["spoken"])
        kept = FOLDER / "files" / recording.relative_to(bench.root)
        assert await asyncio.to_thread(recording.read_bytes) == await asyncio.to_thread(
            kept.read_bytes
        )
    assert voice.spoken == []


async def test_what_may_have_been_paid_for_is_not_spoken_again(tmp_path: Path) -> None:
    clock, voice, data = Clock(NOW), FakeVoice(b"", name="old voice"), install(tmp_path, at=NOW)
    [recording] = data.glob("work/*/narration.mp3")
    recording.unlink()
    async with open_bench(data, clock) as bench:
        with pytest.raises(UserError, match=r"^speech\.unsure$"):
            await make_narrator(bench, clock, voice).speak_for(**WEB["spoken"])
    assert voice.spoken == []


async def test_the_operator_is_told_once_that_an_old_trouble_is_over(desk: Desk) -> None:
    notices = desk.operator_notices(backend="old-over")
    await notices.send_due()
    await notices.send_due()
    assert [message.text for message in desk.fake_discord.dms()] == [WEB["over_dm"]]


async def test_what_people_chose_and_limits_that_were_learned_still_hold(tmp_path: Path) -> None:
    async with open_database(install(tmp_path, at=NOW)) as database:
        for table, rows in WEB["tables"].items():
            found = await database.rows(f"SELECT * FROM {table} ORDER BY 1", {})  # noqa: S608 - of the old data
            known = [
                {name: row[name] for name in old} for row, old in zip(found, rows, strict=True)
            ]
            assert known == rows, table
    async with open_bench(tmp_path / "data", Clock(NOW)) as bench:
        for person in WEB["people"]:
            known = await bench.people.get(person["user_id"])
            assert {name: getattr(known, name) for name in person} == person
        for circuit in WEB["circuits"]:
            found = await bench.circuits.get(circuit["backend"])
            assert found is not None
            known = {name: getattr(found, _FIELDS.get(name, name)) for name in circuit}
            assert known == circuit
            closed = await bench.circuits.close(circuit["backend"])
            assert (closed is not None) == (circuit["state"] == "open") == found.is_open


@ON_ONE_LOOP
async def test_a_new_version_goes_on_where_the_old_one_stopped(running: Running) -> None:
    for name, message_id in GIVEN["cards"].items():
        card = running.card(message_id)
        shown = seen(card.payload["components"]) | {"files": [file.filename for file in card.files]}
        assert shown == WEB["taken_up"][name], name
    # The DMs of `told` and of the operator were there: neither is sent again.
    texts = {message.text for message in running.fake_discord.dms()}
    [of_jobs_on_hold] = texts - set(WEB["dms"])
    assert "VIDEO_BACKEND" in of_jobs_on_hold
    assert len(running.fake_discord.dms()) == len(WEB["dms"]) + 1


@ON_ONE_LOOP
async def test_old_links_lead_to_their_videos_and_to_nothing_else(running: Running) -> None:
    share, file = URL(WEB["share"]).path, URL(WEB["file"]).path
    async with running.http.get(share) as page:
        assert page.status == 200
        assert "a dog on a roof" in await page.text()
    assert await _body(running, file) == _old_file("videos", f"{JOBS['held']}.mp4")
    video, poster = f"{JOBS['api done']}.mp4", f"{JOBS['api done']}.jpg"
    assert await _body(running, f"{share}/video.mp4") == _old_file("videos", video)
    assert await _body(running, f"{share}/poster.jpg") == _old_file("videos", poster)
    forged = [link.rpartition(".")[0] + f".{FORGED}" for link in (share, file)]
    gone = [URL(link).path for link in (*WEB["expired"], WEB["withdrawn"])]
    for link in (*forged, *gone):
        async with running.http.get(link) as answer:
            assert answer.status == 404, link


@ON_ONE_LOOP
async def test_an_old_session_has_to_sign_in_anew_and_finds_its_jobs(running: Running) -> None:
    # It has no id, so it could not be signed out.
    cookie = WEB["cookie"]
    for old in (cookie, f"__Host-{cookie}", f"{cookie.rpartition('.')[0]}.{FORGED}"):
        async with running.http.get("/api/session", headers={"Cookie": old}) as answer:
            assert answer.status == 401
            assert (await answer.json())["error"]["key"] == "api.unauthorized"
    async with running.http.post("/api/session", json={"token": API_TOKEN}) as answer:
        new = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    async with running.http.get("/api/jobs", headers=new) as answer:
        assert await answer.json() == WEB["jobs"]


@ON_ONE_LOOP
async def test_an_old_order_is_known_by_its_key_and_its_video_is_there(running: Running) -> None:
    key = BEARER | {"Idempotency-Key": "order-1"}
    for script, status in (("a dog on a roof", 200), ("another dog", 422)):
        order = {"scriptOrQuestion": script}
        async with running.http.post("/api/generate", headers=key, json=order) as answer:
            told = await answer.json()
            assert answer.status == status, told
            name = told["jobId"] if status == 200 else told["error"]["key"]
            assert name == (JOBS["api done"] if status == 200 else "api.key_reused")
    params = {"jobId": JOBS["api done"]}
    video = _old_file("videos", f"{JOBS['api done']}.mp4")
    async with running.http.get("/api/download", headers=BEARER, params=params) as answer:
        assert await answer.read() == video
    async with running.http.post("/api/share", headers=BEARER, params=params) as answer:
        new, old = (await answer.json())["url"], WEB["share"]
        # Its end, and with that its signature, depend on the time. Old ones are tried out above.
        assert new.rsplit(".", 3)[0] == old.rsplit(".", 3)[0]


@ON_ONE_LOOP
async def test_metrics_have_their_old_names(running: Running) -> None:
    token = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    async with running.http.get("/metrics", headers=token) as answer:
        text = await answer.text()
    for name in NAMES["metrics"]:
        assert f"# TYPE {name} " in text


def test_names_that_others_rely_on_are_still_there() -> None:
    assert set(NAMES["purposes"]) <= set(purposes())
    assert set(NAMES["log_events"]) <= set(log_events())
    assert set(NAMES["error_keys"]) <= set(error_keys())
    assert set(NAMES["error_keys"]) <= Texts.load().keys()
    assert set(NAMES["settings"]) <= {name.upper() for name in Settings.model_fields}


async def _taken_up(running: Running) -> None:
    """Wait until the new version has done what the old one had left."""
    for name in GIVEN["cards"]:
        await running.until(lambda: running.job(JOBS[name])["state"] == "succeeded")  # noqa: B023 - awaited here
    told = "SELECT told FROM circuits WHERE backend = 'storyboard'"
    await running.until(lambda: running.row(told)["told"] is not None)
    others = "SELECT count(*) AS jobs FROM jobs WHERE state IN ('delivering', 'notifying')"
    await running.until(lambda: running.row(others)["jobs"] == 0)


async def _body(running: Running, path: str) -> bytes:
    async with running.http.get(path) as answer:
        assert answer.status == 200, path
        return await answer.read()


def _old_file(folder: str, name: str) -> bytes:
    return (FOLDER / "files" / folder / name).read_bytes()


def _page_with(custom_id: str) -> dict[str, Any]:
    return {"text": ["a page"], "buttons": [["Press", custom_id]]}

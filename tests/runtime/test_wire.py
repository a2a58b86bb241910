"""The whole bot over real sockets; only Discord and the provider are stand-ins."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot import app
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.errors import StartupError
from bot.pacing import EditIntervals
from bot.runtime.parts import file_store
from bot.runtime.timing import WITH_WEBHOOKS, Timing
from tests.support.fakes.remote_store import RemoteStore
from tests.support.media import clips
from tests.support.providers.videos_api import Fault
from tests.support.schemas.discord_spec import check_all
from tests.support.schemas.openai_spec import check_answer, check_request
from tests.support.wire import FAST, WITHIN, Wire, button, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
FINAL_EDIT = "PATCH /webhooks/*"


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncGenerator[Wire]:
    async with open_wire(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    path = tmp_path / "voice.wav"
    clips.make_speech(path, seconds=1)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def link(message: Message) -> str:
    return next(component["url"] for component in message.components if component.get("url"))


async def test_a_prompt_and_a_voice_become_a_video_with_the_voice_on_it(
    wire: Wire, voice: Path
) -> None:
    async with wire.bot():
        message = await wire.video("Explain how rainbows form", voice)
        await wire.wait_for_video(message)
        await wire.wait_for_job()
    [file] = message.files
    assert file.filename.endswith(".mp4")
    assert file.sha256 != sha256(wire.clip)
    [dm] = wire.fake_discord.dms()
    assert str(message.id) in dm.text
    assert "Explain how rainbows form" in dm.text
    assert wire.creates() == 1
    assert len(wire.fake_discord.history.messages) == 2
    assert not list((wire.data_dir / "work").iterdir())


async def test_the_whole_bot_runs_on_postgres_and_starts_again(
    tmp_path: Path, voice: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = RemoteStore()
    monkeypatch.setattr(file_store, "open_bucket", lambda _: bucket)
    needed = {
        "database_url": await postgres.url_of(tmp_path),
        "secret_key": "x" * 16,
        "store_url": "s3://bucket",
    }
    async with open_wire(tmp_path, **needed) as wire:
        async with wire.bot():
            message = await wire.video("Explain how rainbows form", voice)
            await wire.wait_for_video(message)
            await wire.wait_for_job()
            with pytest.raises(StartupError, match="running with this DATABASE_URL"):
                await app.run(wire.settings(http_port=0), timing=FAST, stop=asyncio.Event())
        async with wire.bot():
            again = await wire.video("A cat on a skateboard")
            await wire.wait_for_video(again)
            await wire.wait_for_job()
        assert await asyncio.to_thread(wire.rows) == [("succeeded", None)] * 2
        assert len(wire.fake_discord.dms()) == 2
        assert wire.creates() == 2
        assert not (wire.data_dir / "clapper.db").exists()
        assert sum(key.endswith(".mp4") for key in bucket.files) == 2
    await postgres.empty_databases()


async def test_the_card_has_the_operators_name_for_the_video_service(wire: Wire) -> None:
    async with wire.bot(video_label="Our GPU"):
        message = await wire.video("A cat on a skateboard")
        assert " · Our\N{NO-BREAK SPACE}GPU · " in message.text
        await wire.wait_for_video(message)
        assert " · Our\N{NO-BREAK SPACE}GPU · " in message.text
        assert "openai" not in message.text
        await wire.wait_for_job()


async def test_a_persons_choice_of_dms_wins_over_the_operators_default(wire: Wire) -> None:
    dms: list[int] = []
    for default, choice in (("never", None), ("late", None), ("never", "always")):
        async with wire.bot(notify=default, notify_minutes=60):
            if choice:
                chosen = await wire.fake_discord.slash("notify", {"when": choice})
                await wire.fake_discord.answer_to(chosen)
            said = await wire.fake_discord.answer_to(await wire.fake_discord.slash("notify"))
            message = await wire.video("A cat")
            await wire.wait_for_video(message)
            await wire.wait_for_job()
        dms.append(len(wire.fake_discord.dms()))
        words = {None: {"never": "no DM", "late": "60 minutes"}[default], "always": "whenever"}
        assert words[choice] in said.text
    assert dms == [0, 0, 1]


async def test_without_audio_the_clip_is_delivered_unchanged(wire: Wire) -> None:
    async with wire.bot():
        message = await wire.video("A cat on a skateboard")
        await wire.wait_for_video(message)
        await wire.wait_for_job()
    assert message.files[0].sha256 == sha256(wire.clip)


async def test_the_card_shows_the_true_percentage(tmp_path: Path) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        message = await wire.video("A lighthouse")
        await wire.wait_for_card_text(message, "0%")
        [ref] = wire.api.jobs
        wire.api.progress(ref, 42)
        await wire.wait_for_card_text(message, "42%")
        wire.api.finish(ref)
        await wire.wait_for_video(message)
        await wire.wait_for_job()
        check_all(wire.fake_discord.history.requests)


async def test_a_webhook_finishes_a_job_long_before_the_next_poll(tmp_path: Path) -> None:
    patient = Timing(
        lookup_delays=FAST.lookup_delays,
        poll_intervals=WITH_WEBHOOKS.poll_intervals,
        edit_intervals=FAST.edit_intervals,
    )
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot(timing=patient):
        message = await wire.video("A lighthouse")
        await wire.fake_discord.wait_for(lambda: "Creating" in message.text)
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        assert await wire.api.send_webhook(ref) == 200
        await wire.wait_for_video(message)
        assert len(wire.api.made("GET", f"/videos/{ref}")) <= 3
        await wire.wait_for_job()


async def test_the_same_webhook_twenty_times_is_one_delivery(tmp_path: Path) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        message = await wire.video("A lighthouse")
        await wire.fake_discord.wait_for(lambda: wire.api.jobs)
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        statuses = await asyncio.gather(
            *(wire.api.send_webhook(ref, webhook_id="wh_1") for _ in range(20))
        )
        assert set(statuses) == {200}
        await wire.wait_for_video(message)
        await wire.wait_for_job()
        assert await wire.api.send_webhook(ref, webhook_id="wh_1") == 200
        assert len([version for version in message.versions if version.files]) == 1
        assert wire.events().count("delivering") == 1
        assert query(wire.data_dir, "SELECT count(*) FROM inbox") == [(1,)]


async def test_a_file_that_is_not_audio_is_refused_before_anything_is_spent(
    wire: Wire, tmp_path: Path
) -> None:
    page = tmp_path / "voice.mp3"
    page.write_text("<html><body>not a voice</body></html>")
    async with wire.bot():
        message = await wire.video("A cat", page)
        await wire.wait_for_card_text(message, "can't read that attachment as audio")
        await wire.wait_for_job("failed")
    assert "Nothing was charged" in message.text
    assert wire.creates() == 0


async def test_a_silent_narration_is_refused_before_anything_is_spent(
    wire: Wire, tmp_path: Path
) -> None:
    async with wire.bot():
        message = await wire.video("A cat", clips.make_silence(tmp_path / "voice.ogg"))
        await wire.wait_for_card_text(message, "silent from beginning to end")
        await wire.wait_for_job("failed")
    assert "Nothing was charged" in message.text
    assert button(message, "Change the narration")
    assert wire.creates() == 0


async def test_an_attachment_that_is_too_large_is_refused_to_the_person_alone(
    wire: Wire, tmp_path: Path
) -> None:
    huge = tmp_path / "voice.wav"
    huge.write_bytes(b"RIFF" + bytes(1024 * 1024 + 1))
    async with wire.bot(max_audio_mb=1):
        message = await wire.video("A cat", huge)
        assert "1 MB" in message.text
        assert message.ephemeral
    assert wire.rows() == []


async def test_an_empty_prompt_is_refused_to_the_person_alone(wire: Wire) -> None:
    async with wire.bot():
        message = await wire.video("   ")
        assert message.ephemeral
        assert "what the video should show" in message.text
    assert wire.creates() == 0


async def test_the_cap_of_a_person_is_told_to_the_person_alone(tmp_path: Path) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot(max_jobs_per_user=1):
        first = await wire.video("One")
        refused = await wire.video("Two")
        assert refused.ephemeral
        assert "1 video in progress" in refused.text
        await wire.fake_discord.wait_for(lambda: wire.api.jobs)
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        await wire.wait_for_video(first)
        await wire.wait_for_job()
        assert wire.creates() == 1


async def test_a_413_without_public_url_postpones_the_delivery(
    wire: Wire,
) -> None:
    wire.fake_discord.limits.upload_bytes = 1000
    async with wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_card_text(message, "PUBLIC_URL")
        assert wire.rows()[0][0] == "delivering"
    assert not message.files
    async with wire.bot(public_url=f"http://127.0.0.1:{wire.port}"):
        await wire.fake_discord.wait_for(
            lambda: any(component.get("url") for component in message.components), within=WITHIN
        )
        await wire.wait_for_job()
        downloaded = await fetch(link(message))
        assert hashlib.sha256(downloaded).hexdigest() == sha256(wire.clip)
        assert (await fetch(link(message), first=10, last=19)) == wire.clip.read_bytes()[10:20]
    assert wire.creates() == 1
    assert len([m for m in wire.fake_discord.history.messages if not m.deleted]) == 2


async def fetch(url: str, *, first: int | None = None, last: int | None = None) -> bytes:
    headers = {} if first is None else {"Range": f"bytes={first}-{last}"}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        assert response.status == (200 if first is None else 206)
        return await response.read()


async def test_a_video_above_the_announced_limit_is_not_uploaded(wire: Wire) -> None:
    wire.fake_discord.limits.announced_bytes = 1000
    async with wire.bot(public_url="https://videos.example.org"):
        message = await wire.video("A cat")
        await wire.wait_for_job()
    assert link(message).startswith("https://videos.example.org/d/")
    assert not [recorded for recorded in wire.fake_discord.history.requests if recorded.files]


async def test_a_token_that_expired_early_is_used_once_and_never_again(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_card_text(message, "Creating")
        wire.fake_discord.limits.token_life = 0
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        await wire.wait_for_video(message)
        await wire.wait_for_job()
        dead = [r for r in wire.fake_discord.history.requests if r.status == 401]
        assert len(dead) == 1
        bot_can_edit = wire.fake_discord.history.operations("PATCH /channels/{channel_id}/messages")
        assert bot_can_edit[-1].files
        check_all(wire.fake_discord.history.requests)


async def test_a_rate_limit_on_the_final_edit_is_bypassed_by_the_bot(tmp_path: Path) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_card_text(message, "Creating")
        wire.fake_discord.faults.add(FINAL_EDIT, api_errors.rate_limited(10))
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        await wire.wait_for_video(message)
        await wire.wait_for_job()
        assert len([r for r in wire.fake_discord.history.requests if r.status == 429]) == 1
        assert message.files[0].sha256 == sha256(wire.clip)
        check_all(wire.fake_discord.history.requests)


async def test_closed_dms_are_no_error(wire: Wire) -> None:
    wire.fake_discord.close_dms()
    async with wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_job()
    assert message.files
    assert wire.fake_discord.dms() == []


async def test_a_dm_whose_answer_was_lost_is_not_sent_twice(wire: Wire) -> None:
    wire.fake_discord.faults.add("POST /channels/*/messages", faults.LoseAnswer())
    async with wire.bot():
        await wire.video("A cat")
        await wire.wait_for_job()
    assert len(wire.fake_discord.dms()) == 1


async def test_a_video_whose_card_was_deleted_is_sent_by_dm(tmp_path: Path) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_card_text(message, "Creating")
        wire.fake_discord.messages.delete(message)
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        await wire.wait_for_job()
        [dm] = wire.fake_discord.dms()
        assert dm.files[0].sha256 == sha256(wire.clip)


async def test_without_a_card_a_video_that_is_too_large_is_sent_as_a_link_by_dm(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire:
        async with wire.bot():
            message = await wire.video("A cat")
            await wire.wait_for_card_text(message, "Creating")
            wire.fake_discord.limits.upload_bytes = 1000
            wire.fake_discord.messages.delete(message)
            [ref] = wire.api.jobs
            wire.api.finish(ref)
            sent = "POST /channels/{channel_id}/messages"
            await wire.fake_discord.wait_for(lambda: wire.fake_discord.history.operations(sent))
            assert wire.fake_discord.dms() == []
        assert wire.rows()[0][0] == "notifying"
        async with wire.bot(public_url="https://videos.example.org"):
            await wire.wait_for_job()
            [dm] = wire.fake_discord.dms()
            assert "https://videos.example.org/v/" in dm.text


async def test_cancel_works_after_a_restart_for_the_requester_only(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire:
        async with wire.bot():
            message = await wire.video("A cat")
            await wire.wait_for_card_text(message, "Creating")
        stranger = wire.fake_discord.world.add_user("grace")
        async with wire.bot():
            refused = await wire.fake_discord.click(
                message, button(message, "Cancel"), user=stranger
            )
            answer = await wire.fake_discord.answer_to(refused)
            assert "Only the person" in answer.text
            pressed = await wire.fake_discord.click(message, button(message, "Cancel"))
            assert (await wire.fake_discord.answer_to(pressed)).text == "Cancelled."
            await wire.wait_for_card_text(message, "Cancelled")
            await wire.wait_for_job("cancelled")
            again = await wire.fake_discord.slash("video", {"prompt": "Next"})
            assert "Getting ready" in (await wire.fake_discord.answer_to(again)).text
        assert wire.api.made("DELETE", "/videos/")
        assert "may charge" in message.text
        check_all(wire.fake_discord.history.requests)


async def test_a_card_follows_its_place_in_a_queue_from_before_a_restart(tmp_path: Path) -> None:
    timing = replace(FAST, edit_intervals=EditIntervals(state=0, first_minute=0, first_hour=0))
    async with open_wire(tmp_path, seconds_per_job=None, max_jobs_per_user=3, max_jobs=1) as wire:
        async with wire.bot(timing=timing):
            first = await wire.video("A cat")
            await wire.wait_for_card_text(first, "Creating")
            await wire.video("A dog")
            last = await wire.video("A fox")
            await wire.wait_for_card_text(last, "Place in the queue: 2")
        async with wire.bot(timing=timing):
            await wire.fake_discord.click(first, button(first, "Cancel"))
            await wire.wait_for_card_text(last, "Next in the queue")


async def test_a_refused_prompt_is_explained_in_plain_words(wire: Wire) -> None:
    body = {"error": {"message": "no", "type": "x", "code": "moderation_blocked", "param": None}}
    wire.api.add_faults("create", Fault(status=400, body=body))
    async with wire.bot():
        message = await wire.video("Something bad")
        await wire.wait_for_card_text(message, "content policy")
        await wire.wait_for_job("failed")
    assert wire.creates() == 1


async def test_after_a_lost_answer_the_job_is_found_again_and_never_paid_for_twice(
    wire: Wire,
) -> None:
    wire.api.add_faults("create", Fault(after=True, reset=True))
    async with wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_video(message)
        await wire.wait_for_job()
    assert wire.creates() == 1
    assert "unconfirmed" in wire.events()


async def test_an_undecided_job_is_asked_about_and_a_retry_is_one_more_create(
    wire: Wire,
) -> None:
    wire.api.add_faults("create", Fault(status=500, body={}))
    wire.api.add_faults("list", *[Fault(status=400, body={})] * 2)
    async with wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_card_text(message, "may charge twice")
        await wire.wait_for_job("undecided")
        assert wire.creates() == 1
        await wire.fake_discord.click(message, button(message, "Try again"))
        await wire.wait_for_video(message)
        await wire.wait_for_job()
    assert wire.creates() == 2


async def test_cancelling_an_undecided_job_ends_it(wire: Wire) -> None:
    wire.api.add_faults("create", Fault(status=500, body={}))
    wire.api.add_faults("list", *[Fault(status=400, body={})] * 2)
    async with wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_card_text(message, "may charge twice")
        await wire.wait_for_job("undecided")
        await wire.fake_discord.click(message, button(message, "Give up"))
        await wire.wait_for_job("cancelled")
    assert wire.creates() == 1


async def test_a_dropped_gateway_connection_is_resumed_and_the_job_continues(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        message = await wire.video("A cat")
        await wire.wait_for_card_text(message, "Creating")
        await wire.fake_discord.gateway.drop()
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        await wire.wait_for_video(message)
        await wire.wait_for_job()


async def test_a_gateway_that_is_closed_for_good_ends_the_bot_with_a_sentence(
    wire: Wire,
) -> None:
    with pytest.raises(StartupError, match="code 4004"):
        async with wire.bot() as running:
            await wire.fake_discord.gateway.drop(4004)
            await asyncio.wait({running}, timeout=WITHIN)


async def test_prompts_cause_no_mentions_or_formatting(wire: Wire) -> None:
    async with wire.bot():
        message = await wire.video("@everyone **bold** <@1> `x`\n# big")
        await wire.wait_for_job()
    assert "\n# big" not in message.text
    for recorded in wire.fake_discord.history.requests:
        body: Any = recorded.json
        if isinstance(body, dict) and "components" in (body.get("data") or body):
            assert (body.get("data") or body)["allowed_mentions"] == {"parse": []}


async def test_used_tokens_and_attachment_links_are_deleted(wire: Wire, voice: Path) -> None:
    async with wire.bot(openai_api_key="sk-very-secret"):
        message = await wire.video("A cat", voice)
        await wire.wait_for_video(message)
        await wire.wait_for_job()
    assert query(wire.data_dir, "SELECT token, attachment_url FROM jobs") == [(None, None)]
    stored = b"".join(path.read_bytes() for path in wire.data_dir.glob("clapper.db"))
    for secret in (wire.fake_discord.token, "sk-very-secret"):
        assert secret.encode() not in stored


async def test_the_bot_and_the_videos_api_stand_in_keep_to_its_contract(wire: Wire) -> None:
    async with wire.bot():
        await wire.video("A cat")
        await wire.wait_for_job()
    for call in wire.api.calls:
        check_request(call.method, call.path.removeprefix(wire.api.prefix), call.query, call.form)
    assert {call.method for call in wire.api.calls} == {"GET", "POST"}
    async with aiohttp.ClientSession() as session:
        [ref] = wire.api.jobs
        for path in ("/videos", f"/videos/{ref}"):
            async with session.get(f"{wire.api.base_url}{path}") as response:
                check_answer("GET", path, response.status, await response.json())


async def test_a_video_continues_while_discord_is_down_at_the_start(tmp_path: Path) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire:
        async with wire.bot():
            message = await wire.video("A lighthouse")
            await wire.fake_discord.wait_for(lambda: "Creating" in message.text)
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        wire.fake_discord.faults.add("GET */gateway", api_errors.server_error(503), times=None)
        stop = asyncio.Event()
        running = asyncio.create_task(app.run(wire.settings(), timing=FAST, stop=stop), name="bot")
        async with asyncio.timeout(WITHIN):
            while wire.rows()[0][0] != "delivering":
                assert not running.done()
                await asyncio.sleep(0.02)
        assert not message.files
        wire.fake_discord.faults.clear()
        await wire.wait_for_video(message)
        await wire.wait_for_job()
        stop.set()
        await running
        check_all(wire.fake_discord.history.requests)


async def test_a_bot_that_waits_for_discord_can_be_stopped(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire:
        wire.fake_discord.faults.add("GET */gateway", api_errors.server_error(503), times=None)
        stop = asyncio.Event()
        running = asyncio.create_task(app.run(wire.settings(), timing=FAST, stop=stop), name="bot")
        async with asyncio.timeout(WITHIN):
            while not (wire.data_dir / "clapper.db").exists():  # noqa: ASYNC110 - no event reports it
                await asyncio.sleep(0.02)
        stop.set()
        async with asyncio.timeout(WITHIN):
            await running

"""`python -m bot owner`, beside a running bot and without one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.commands.owner.until import until_of
from bot.errors import StartupError
from bot.links import load_secret
from bot.web.operator_routes import OperatorKey, access_subject, cancel_subject
from storage.access.changes import change_text
from storage.access.settings import EVERYWHERE, Change, Rule, Setting
from storage.snapshot import list_access_settings, list_jobs
from tests.support.command_line import run_bot
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.orders import REQUEST, origin
from tests.support.wire import free_port, open_wire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command_line import Ended
    from tests.support.wire import Wire

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
PERSON = "123456789012345678"


async def owner(wire: Wire, *words: str, **settings: str) -> Ended:
    """Run the command with the settings of the running bot."""
    return await run_bot(
        wire.folder,
        "owner",
        *words,
        **{
            "DATA_DIR": str(wire.data_dir),
            "HTTP_PORT": str(wire.port),
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": wire.api.base_url,
            **settings,
        },
    )


async def test_the_running_bot_pauses_and_resumes_orders_at_once(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire, wire.bot():
        done = await owner(wire, "pause", "--until", "2h", "Back after", "the upgrade.")
        assert (done.code, done.err) == (0, "")
        assert "queued jobs continue" in done.out
        refused = await wire.video("A lighthouse")
        assert "Back after the upgrade." in refused.text
        assert (refused.ephemeral, wire.creates()) == (True, 0)
        shown = await owner(wire, "settings")
        assert "orders refused until" in shown.out
        done = await owner(wire, "resume")
        assert (done.code, done.out) == (0, "Orders are accepted again.\n")
        message = await wire.video("A lighthouse")
        await wire.wait_for_video(message)
        audit = (await owner(wire, "audit")).out.splitlines()
        assert ["removed" in line for line in audit] == [True, False]
        assert all("command line" in line for line in audit)


async def test_the_running_bot_blocks_a_person_and_a_server_at_once(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire, wire.bot():
        world = wire.fake_discord.world
        for kind, target, words in (
            ("", world.user.id, "has blocked your requests"),
            ("-server", world.guild.id, "requests in this server"),
        ):
            assert (await owner(wire, f"block{kind}", str(target))).code == 0
            again = await owner(wire, f"block{kind}", str(target))
            assert (again.code, "already applies" in again.out) == (0, True)
            assert words in (await wire.video("A lighthouse")).text
            assert (await owner(wire, f"unblock{kind}", f"<@{target}>")).code == 0
        assert wire.creates() == 0
        await wire.wait_for_video(await wire.video("A lighthouse"))


async def test_only_the_holder_of_the_secret_on_this_machine_changes_anything(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path) as wire, wire.bot():
        key = OperatorKey(load_secret("", wire.data_dir / "secret.key"), clock=time.time)
        body = change_text(Change(scope=EVERYWHERE, name=Setting.PERSON, target=5, value=Rule.DENY))
        good = key.headers(access_subject(body))
        impossible = key.headers(access_subject("{}"))
        async with aiohttp.ClientSession() as http:
            for headers, sent, status in (
                ({}, body, 401),
                (key.headers(cancel_subject("0" * 32)), body, 401),
                (good, body.replace("5", "6"), 401),
                (good | {"X-Forwarded-For": "192.0.2.1"}, body, 404),
                (impossible, "{}", 400),
            ):
                address = f"http://127.0.0.1:{wire.port}/operator/access"
                async with http.post(address, headers=headers, data=sent) as answer:
                    assert answer.status == status
        assert list_access_settings(wire.data_dir) == []


async def test_without_a_bot_the_settings_are_stored_and_hold_from_the_start(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path) as wire:
        for words in (
            ("drain", "Moving house."),
            ("set", "person-day", "3"),
            ("set", "channel", "deny", "--for", PERSON),
            ("set", "role-day", "9", "--for", "boosters"),
            ("set", "language", "de"),
        ):
            done = await owner(wire, *words)
            assert (done.code, done.err) == (0, ""), done
        shown = (await owner(wire, "settings")).out.splitlines()
        assert shown == [
            f"channel {PERSON}: deny",
            "language: de",
            "pause: drain: Moving house.",
            "person_day: 3",
            "role_day: 9",
        ]
        refused = await run_bot(
            wire.folder,
            "generate",
            "A lighthouse",
            DATA_DIR=str(wire.data_dir),
            VIDEO_BACKEND="openai",
            OPENAI_BASE_URL=wire.api.base_url,
        )
        assert (refused.code, "Moving house." in refused.err) == (1, True), refused
        assert (wire.rows(), wire.creates()) == ([], 0)
        async with wire.bot():
            assert "Moving house." in (await wire.video("A lighthouse")).text
            doctor = await run_bot(tmp_path, "doctor", DATA_DIR=str(wire.data_dir))
            assert "refused, as you chose, and queued jobs wait: Moving house." in doctor.out


async def test_before_anything_is_set_the_command_says_so(tmp_path: Path) -> None:
    for action in ("settings", "audit"):
        ended = await run_bot(tmp_path, "owner", action)
        assert (ended.code, ended.out.count("\n"), ended.err) == (0, 1, "")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("block", "Paul"), "is not an id"),
        (("block", "9" * 19), "is not an id"),
        (("pause", "two\nlines"), "one line"),
        (("pause", "x" * 301), "at most 300"),
        (("pause", "--until", "soon", "Back"), "is not a time"),
        (("pause", "--until", "2020-01-01", "Back"), "is not a time in the future"),
        (("set", "person-day", "many"), "is not a valid value"),
        (("set", "person-day", "3", "--for", PERSON), "has no --for"),
        (("set", "channel", "deny"), "needs --for"),
        (("grant", "Paul", "5"), "is not an id"),
        (("grant", PERSON, "0"), "is not an amount"),
        (("grant", PERSON, "-5"), "is not an amount"),
        (("grant", PERSON, "1e3"), "is not an amount"),
        (("grant", PERSON, "5", "--id", "mine"), "is not the id of a grant"),
    ],
)
async def test_what_can_not_be_set_is_refused_in_one_sentence(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    ended = await run_bot(tmp_path, "owner", *words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert sentence in ended.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("2h", 7200), ("1d", 86_400), ("2026-01-01T01:00Z", 3600)]
)
def test_a_pause_ends_after_a_span_or_at_a_time(text: str, seconds: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert until_of(text, now=now) == now + seconds


@pytest.mark.parametrize(
    "text", ["", "0m", "5", "5w", "\u0665m", "9999-12-31T23:59:59.9-23:59", "2025-12-31"]
)
def test_what_is_no_time_to_come_is_refused(text: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    with pytest.raises(StartupError, match="--until"):
        until_of(text, now=now)


async def test_a_persons_videos_and_cards_are_taken_down(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire, wire.bot():
        world = wire.fake_discord.world
        card = await wire.video("A lighthouse")
        await wire.wait_for_video(card)
        other = world.add_user("another")
        kept = await wire.video("A harbour", user=other)
        await wire.wait_for_video(kept)
        await wire.wait_for_job()
        done = await owner(wire, "remove-person", str(world.user.id))
        assert (done.code, done.out) == (0, "Deleted 1 job and 1 card.\n"), done
        assert (card.deleted, kept.deleted) == (True, False)
        [left] = [job.request.prompt for job in list_jobs(wire.data_dir, ended=9)]
        assert left == "A harbour"
        assert len(list(wire.data_dir.rglob("*.mp4"))) == 1
        again = await owner(wire, "remove-person", str(world.user.id))
        assert (again.code, again.out) == (0, "Deleted 0 jobs and 1 card.\n")
        audit = (await owner(wire, "audit")).out
        assert audit.count(f"removal {world.user.id}: removed") == 2


async def test_an_open_job_is_cancelled_and_counted_until_it_has_ended(tmp_path: Path) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        user = wire.fake_discord.world.user
        card = await wire.video("A lighthouse")
        await wire.fake_discord.wait_for(lambda: wire.api.jobs)
        first = await owner(wire, "remove-person", str(user.id))
        assert card.deleted
        await wire.wait_for_job("cancelled")
        assert wire.api.jobs == {}
        again = await owner(wire, "remove-person", str(user.id))
        assert "1 job " in first.out + again.out
        assert again.code == 0
        assert list_jobs(wire.data_dir, ended=9) == []


async def test_without_a_running_bot_nothing_is_taken_down(tmp_path: Path) -> None:
    for _ in range(2):
        ended = await run_bot(tmp_path, "owner", "remove-person", PERSON)
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert "Only the running bot" in ended.err
        (tmp_path / "data").mkdir(exist_ok=True)


async def test_the_spending_of_a_month_is_printed_and_saved_as_a_picture(tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp())
    (tmp_path / "data").mkdir()
    async with open_bench(tmp_path / "data", clock, price=800_000) as bench:
        await bench.jobs.submit(REQUEST, origin(user_id=int(PERSON), guild_id=10), None)
        # The command reads beside the running bot.
        words = ("spending", "--month", "2026-11", "-o", "spent.png")
        done = await run_bot(tmp_path, "owner", *words, BUDGET_MONTH="5", PRICE_PER_CLIP="0.8")
    assert (done.code, done.err) == (0, "")
    assert "$0.80 of $5.00 spent" in done.out
    for line in (f"  Person {PERSON}       $0.80", "  Server 10       $0.80", "  27       $0.80"):
        assert line in done.out
    assert (tmp_path / "spent.png").read_bytes().startswith(b"\x89PNG")
    wrong = await run_bot(tmp_path, "owner", "spending", "--month", "November")
    assert (wrong.code, "write it like 2026-11" in wrong.err) == (2, True)


async def test_a_grant_raises_a_persons_budget_with_and_without_a_running_bot(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path) as wire:
        user = wire.fake_discord.world.user
        settings = {"price_per_clip": 0.8, "budget_per_user_month": 0.5}
        refused = await owner(wire, "grant", str(user.id), "1")
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert "BUDGET_PER_USER_MONTH is not set" in refused.err
        async with wire.bot(**settings):
            assert "Your budget for this month has $0.50 left" in (await wire.video("A pier")).text
            done = await owner(wire, "grant", str(user.id), "$0.30")
            assert (done.code, done.err) == (0, ""), done
            assert (
                done.out
                == f"Granted. This month's budget of {user.id} is now $0.80; $0.00 is spent.\n"
            )
            await wire.wait_for_video(await wire.video("A pier"))
            # Without an answer, it is not known whether the bot has granted it.
            lost = await owner(wire, "grant", str(user.id), "0.1", HTTP_PORT=str(free_port()))
            assert (lost.code, lost.err.count("\n")) == (2, 1)
            repeat = lost.err.partition(" with ")[2].strip(" .\n").split()
            for _ in range(2):
                done = await owner(wire, "grant", str(user.id), "0.1", *repeat)
                assert "is now $0.90; $0.80 is spent" in done.out
            other = await owner(wire, "grant", str(user.id), "0.2", *repeat)
            assert (other.code, "belongs to another grant" in other.err) == (2, True)
        done = await owner(wire, "grant", str(user.id), "2,5", BUDGET_PER_USER_MONTH="0.5")
        assert "is now $3.40; $0.80 is spent" in done.out
        audit = (await owner(wire, "audit")).out.splitlines()
        assert [line.split("command line")[1].strip() for line in audit] == [
            f"grant {user.id}: 2.50",
            f"grant {user.id}: 0.10",
            f"grant {user.id}: 0.30",
        ]

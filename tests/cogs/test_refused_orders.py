"""Every reason for which orders are refused, by every way to order, and what stays open meanwhile.

A refusal is in the person's language. It is counted, and changes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bot.delivery.views.button_ids import Action
from bot.model import JobState
from bot.moderation.access.place import OrderFrom, Reach
from bot.texts import Moment, Texts
from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE as EVERY_SERVER
from storage.access.settings import ON, Change, Rule, Setting
from tests.support.cards import post_card
from tests.support.desk import Desk, open_desk
from tests.support.fakes.bench import EVERYWHERE
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.prompts import FakeModerator
from tests.support.form_steps import SOUND, submit_form
from tests.support.library import CLIP
from tests.support.places import find_place
from tests.support.schemas.discord_spec import check_all
from tests.support.speeches import keep_speech, press_speech, speech_form
from tests.support.tables import rows_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User
    from bot.model import Job

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
TEXTS = Texts.load()
WORDS = "Back after the *upgrade*."
UNTIL = 4_000_000_000
# These targets stand for what exists only once a test runs.
HERE, PERSON, SERVER, ROLE = -1, -2, -3, -4
FILLED_IN: dict[Action, dict[str, Any]] = {
    Action.EDIT: {"prompt": "a dog"},
    Action.NARRATE: {"audio": SOUND},
}
NO_JOB = "0" * 32
KINDS = ("server", "dm", "group", "user_install")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A reason for a refusal: the settings that cause it, and its sentence.

    `rules`: the settings of the server, or of the operator if `is_operators`.
    `has_role`: the person has the role. `is_stranger`: the person is in no server of the bot.
    """

    key: str
    kind: str = "server"
    reach: Reach = field(default_factory=Reach)
    rules: tuple[tuple[Setting, int, str], ...] = ()
    is_operators: bool = False
    has_role: bool = False
    is_stranger: bool = False
    fields: Mapping[str, object] = field(default_factory=dict[str, object])


NAMED_SERVER = Reach(allowed_servers=frozenset({5}))
DMS = Reach(order_from=OrderFrom.DMS)
PAUSE, LATER = Pause(words=WORDS), Pause(words=WORDS, until=UNTIL, is_drain=True)
REFUSALS = {
    "by DM": Refusal(key="access.dm", kind="dm"),
    "in a group": Refusal(key="access.user_install", kind="group"),
    "by user install": Refusal(key="access.user_install", kind="user_install"),
    "a stranger by DM": Refusal(key="access.not_a_member", kind="dm", reach=DMS, is_stranger=True),
    "by DM, and blocked in the only server": Refusal(
        key="access.no_home",
        kind="dm",
        reach=DMS,
        rules=((Setting.PERSON, PERSON, Rule.DENY),),
    ),
    "from a server that is not named": Refusal(key="access.server", reach=NAMED_SERVER),
    "from a blocked server": Refusal(
        key="access.server", rules=((Setting.SERVER, SERVER, Rule.DENY),), is_operators=True
    ),
    "in a denied channel": Refusal(
        key="access.channel", rules=((Setting.CHANNEL, HERE, Rule.DENY),)
    ),
    "outside the allowed channels": Refusal(
        key="access.other_channels",
        rules=((Setting.CHANNEL, 4242, Rule.ALLOW),),
        fields={"channels": "<#4242>"},
    ),
    "without the role": Refusal(
        key="access.other_roles",
        rules=((Setting.ROLE, ROLE, Rule.ALLOW),),
    ),
    "with a denied role": Refusal(
        key="access.role",
        rules=((Setting.ROLE, ROLE, Rule.DENY),),
        has_role=True,
    ),
    "in a channel for everyone": Refusal(
        key="access.age", rules=((Setting.AGE_RESTRICTED, 0, ON),)
    ),
    "blocked in the server": Refusal(
        key="access.blocked", rules=((Setting.PERSON, PERSON, Rule.DENY),)
    ),
    "blocked everywhere": Refusal(
        key="access.blocked_everywhere",
        rules=((Setting.PERSON, PERSON, Rule.DENY),),
        is_operators=True,
    ),
    "paused": Refusal(
        key="access.paused",
        rules=((Setting.PAUSE, 0, str(PAUSE)),),
        is_operators=True,
        fields={"words": WORDS},
    ),
    "drained for a while": Refusal(
        key="access.paused_until",
        rules=((Setting.PAUSE, 0, str(LATER)),),
        is_operators=True,
        fields={"words": WORDS, "when": Moment(UNTIL)},
    ),
}


@pytest.fixture
def voice() -> FakeVoice:
    return FakeVoice(b"no sound")


@pytest.fixture
def moderator() -> FakeModerator:
    return FakeModerator()


@pytest.fixture
async def desk(
    tmp_path: Path, voice: FakeVoice, moderator: FakeModerator, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Desk]:
    # On a busy machine, a public card would be posted before the order is judged.
    monkeypatch.setattr("cogs._answers._STORED_WITHIN", PATIENCE)
    async with open_desk(tmp_path, voice=voice, moderator=moderator) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@dataclass(kw_only=True)
class Person:
    """A person with jobs, and with a form that was opened in each place before the refusal."""

    desk: Desk
    user: User
    role_id: int
    finished: Job
    failed: Job
    undecided: Job
    places: dict[str, Channel]
    forms: dict[tuple[str, Action], Interaction]
    speech_id: int
    speech_forms: dict[str, Interaction]

    def sentence(self, refusal: Refusal) -> str:
        """Return the sentence about a refusal in the person's language."""
        fields = {"roles": f"<@&{self.role_id}>", **refusal.fields}
        return TEXTS(refusal.key, self.user.locale, **fields)

    async def slash(self, command: str, where: Channel, **options: object) -> Message:
        asked = await self.desk.fake_discord.slash(command, options, where=where, user=self.user)
        return await self.desk.fake_discord.answer_to(asked)

    async def press(self, action: Action, job: Job, where: Channel) -> Message:
        card = post_card(self.desk, action, job.id, where=where)
        return await self.desk.click(card, "Old", user=self.user)

    async def send_form(self, kind: str, action: Action) -> Message:
        values = FILLED_IN[action]
        sent = await self.desk.fake_discord.submit(self.forms[kind, action], values)
        return await self.desk.fake_discord.answer_to(sent)

    async def orders(self, kind: str) -> dict[str, Message]:
        """Order by each way, and return the answers."""
        where = self.places[kind]
        return {
            "command": await self.slash("video", where, prompt="a cat", audio=SOUND),
            "speech": await self.slash("narrate", where, text="Hello"),
            "again": await self.press(Action.AGAIN, self.finished, where),
            "edit": await self.press(Action.EDIT, self.finished, where),
            "narration": await self.press(Action.NARRATE, self.finished, where),
            "attachment": await self.press(Action.ATTACH, self.failed, where),
            "retry": await self.press(Action.RETRY, self.undecided, where),
            "edit form": await self.send_form(kind, Action.EDIT),
            "narration form": await self.send_form(kind, Action.NARRATE),
            "speech video": await press_speech(
                self.desk, self.speech_id, where=where, user=self.user
            ),
            "speech form": await submit_form(
                self.desk, self.speech_forms[kind], {"prompt": "a cat"}
            ),
        }


async def prepare(desk: Desk, locale: str) -> Person:
    bench, world = desk.bench, desk.fake_discord.world
    user = world.add_user("ada", locale=locale)
    finished = await bench.at(JobState.SUCCEEDED, user_id=user.id)
    await bench.artifacts.save(desk.artifact(finished, CLIP))
    places = {kind: find_place(desk, kind, user) for kind in KINDS}
    speech_id = await keep_speech(bench, user.id)
    person = Person(
        desk=desk,
        user=user,
        role_id=desk.fake_discord.add_role("Film"),
        finished=finished,
        failed=await bench.at(JobState.FAILED, user_id=user.id),
        undecided=await bench.at(JobState.UNDECIDED, user_id=user.id),
        places=places,
        forms={
            (kind, action): await open_form(desk, action, finished, user, where)
            for kind, where in places.items()
            for action in FILLED_IN
        },
        speech_id=speech_id,
        speech_forms={
            kind: await speech_form(desk, speech_id, where=where, user=user)
            for kind, where in places.items()
        },
    )
    desk.bench.refused_orders.clear()
    return person


async def open_form(
    desk: Desk, action: Action, job: Job, user: User, where: Channel
) -> Interaction:
    card = post_card(desk, action, job.id, where=where)
    opened = await desk.fake_discord.click(card, f"clapper:{action}:{job.id}", user=user)
    await desk.fake_discord.wait_for(lambda: opened.modal)
    return opened


async def impose(person: Person, refusal: Refusal, *, is_over: bool = False) -> None:
    """Change the settings so that the person's orders are refused, or change them back."""
    desk, world = person.desk, person.desk.fake_discord.world
    desk.bench.gate.reach = EVERYWHERE if is_over else refusal.reach
    targets = {HERE: world.channel.id, PERSON: person.user.id, SERVER: world.guild.id}
    targets[ROLE] = person.role_id
    scope = EVERY_SERVER if refusal.is_operators else world.guild.id
    for name, target, value in refusal.rules:
        change = Change(
            scope=scope,
            name=name,
            target=targets.get(target, target),
            value=None if is_over else value,
        )
        await desk.bench.access.change(change, actor=1, now=desk.clock())
    role_ids = (person.role_id,) if refusal.has_role and not is_over else ()
    world.members.change(person.user, world.guild, role_ids=role_ids)
    membership = (person.user.id, world.guild.id)
    if refusal.is_stranger and not is_over:
        world.absent.add(membership)
    else:
        world.absent.discard(membership)
    # A membership is known for ten minutes.
    desk.clock.advance(601)
    # An order of a new month makes the key of that month, also if it is refused.
    month = f"{datetime.fromtimestamp(desk.clock(), tz=UTC):%Y-%m}"
    await desk.bench.ledger.payer_key(month, b"key")


@pytest.mark.parametrize("locale", ["en-US", "de", "ja"])
async def test_a_refused_order_is_answered_in_the_persons_language_and_changes_nothing(
    desk: Desk, voice: FakeVoice, moderator: FakeModerator, locale: str
) -> None:
    person, backend = await prepare(desk, locale), desk.bench.backend
    for name, refusal in REFUSALS.items():
        await impose(person, refusal)
        sentence = person.sentence(refusal)
        stored = await rows_of(desk.bench.database)
        calls = (backend.posts, backend.polls, backend.pages, len(moderator.checked))
        answers = await person.orders(refusal.kind)
        assert {way: each.text for way, each in answers.items()} == dict.fromkeys(
            answers, sentence
        ), name
        assert all(each.ephemeral for each in answers.values()), name
        assert await rows_of(desk.bench.database) == stored, name
        assert (backend.posts, backend.polls, backend.pages, len(moderator.checked)) == calls
        assert desk.bench.refused_orders == [refusal.key] * len(answers), name
        desk.bench.refused_orders.clear()
        await impose(person, refusal, is_over=True)
    assert voice.spoken == []
    # Without a refusal, the same ways are open.
    where = person.places["server"]
    assert not (await person.slash("video", where, prompt="a cat")).ephemeral
    assert not (await person.press(Action.AGAIN, person.finished, where)).ephemeral
    assert not (await person.send_form("server", Action.EDIT)).ephemeral
    form = person.speech_forms["server"]
    assert not (await submit_form(desk, form, {"prompt": "a cat"})).ephemeral


async def test_people_who_may_not_order_see_fetch_and_delete_what_is_theirs(desk: Desk) -> None:
    person = await prepare(desk, "en-US")
    for name, refusal in REFUSALS.items():
        under_way = await desk.bench.submit(user_id=person.user.id)
        await impose(person, refusal)
        where = person.places[refusal.kind]
        shown = {
            command: (await person.slash(command, where)).text
            for command in ("videos", "usage", "privacy", "notify", "status", "help")
        }
        sentence = person.sentence(refusal)
        assert [command for command, text in shown.items() if sentence in text] == ["help"], name
        assert "**Your videos**" in shown["videos"]
        assert "**What I keep about you**" in shown["privacy"]
        page = await person.slash("videos", where)
        fetched = await desk.click(page, "Send again", user=person.user)
        assert [file.filename for file in fetched.files], name
        cancelled = await person.press(Action.CANCEL, under_way, where)
        assert cancelled.text == "Cancelled.", name
        assert (await desk.bench.now(under_way.id)).state is JobState.CANCELLED
        await desk.bench.run_out(under_way.id)
        await delete(person, under_way, where)
        await impose(person, refusal, is_over=True)
    await impose(person, REFUSALS["blocked everywhere"])
    given_up = await person.press(Action.GIVE_UP, person.undecided, where=person.places["dm"])
    assert given_up.text == "I've given up on this video."
    for job in (person.failed, person.undecided):
        await desk.bench.run_out(job.id)
    data = await person.slash("privacy", person.places["dm"])
    await desk.click(data, "Delete my data", user=person.user)
    await desk.click(data, "Yes, delete everything", user=person.user)
    await desk.fake_discord.wait_for(lambda: "Deleting" not in data.text)
    assert data.text.startswith("**Your data is deleted.**")


async def delete(person: Person, job: Job, where: Channel) -> None:
    desk = person.desk
    card = post_card(desk, Action.DELETE, job.id, where=where)
    pressed = await desk.fake_discord.click(
        card, f"clapper:{Action.DELETE}:{job.id}", user=person.user
    )
    await desk.fake_discord.wait_for(lambda: pressed.modal)
    await desk.fake_discord.submit(pressed, {"sure": True})
    await desk.fake_discord.wait_for(lambda: card.deleted)


@pytest.mark.parametrize("locale", ["en-US", "de", "ja"])
async def test_forged_buttons_and_forms_order_nothing(desk: Desk, locale: str) -> None:
    person = await prepare(desk, locale)
    others = {
        Action.AGAIN: await desk.bench.at(JobState.SUCCEEDED, user_id=5),
        Action.ATTACH: await desk.bench.at(JobState.FAILED, user_id=5),
        Action.RETRY: await desk.bench.at(JobState.UNDECIDED, user_id=5),
    }
    others |= dict.fromkeys(FILLED_IN, others[Action.AGAIN])
    stored = await rows_of(desk.bench.database)
    for action, job in others.items():
        for forged, key in ((job, "reply.not_yours"), (replace(job, id=NO_JOB), "reply.unknown")):
            answers = [await person.press(action, forged, person.places["server"])]
            if action in FILLED_IN:
                form = person.forms["server", action].modal or {}
                form["custom_id"] = f"clapper:{action}:{forged.id}"
                answers.append(await person.send_form("server", action))
            assert {answer.text for answer in answers} == {TEXTS(key, locale)}, action
            assert all(answer.ephemeral for answer in answers)
    assert await rows_of(desk.bench.database) == stored

"""Builds the responses to `/notify` and `/privacy`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.delivery.views.formatting import megabytes, quoted
from bot.delivery.views.notice import render_panel
from storage.people import Notify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.library.retention import Deletion, RetentionLimits, StoredData
    from bot.texts import Texts
    from storage.people import Person


_DAY = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceTerms:
    """The terms on which a video service hears a person's voice.

    `service`: its name for people. `is_asked`: whether the person decides.
    `agrees`: the person's answer, or None if there is none yet.
    `speaks`: whether the bot reads texts aloud.
    """

    service: str
    is_asked: bool
    agrees: bool | None
    speaks: bool


class PrivacyStep(StrEnum):
    """The effect of a button.

    It asks for confirmation, deletes the data, shows the data again, or deletes only the answer
    about the person's voice.
    """

    ASK = "ask"
    DELETE = "sure"
    SHOW = "show"
    FORGET_VOICE = "voice"


TEMPLATE = rf"clapper:privacy:(?P<step>{'|'.join(PrivacyStep)}):(?P<user>[0-9]{{1,20}})"


_SERVICE_CHARACTERS = 60


class PrivacyView:
    """Renders a person's settings and stored data, in their language.

    The views are stopped, because discord.py would keep active views in memory.
    """

    def __init__(self, texts: Texts, locale: str) -> None:
        self._texts = texts
        self._locale = locale

    def choice(self, person: Person) -> str:
        """Return the sentence that says when the person gets a DM."""
        match person.notify:
            case Notify.ALWAYS:
                sentence = self._say("notify.always")
            case Notify.NEVER:
                sentence = self._say("notify.never")
            case Notify.LATE:
                sentence = self._say("notify.late", minutes=person.notify_minutes)
        if person.dm_closed_at is None or person.notify is Notify.NEVER:
            return sentence
        return f"{sentence} {self._say('notify.closed')}"

    def overview(
        self,
        stored: StoredData,
        limits: RetentionLimits,
        *,
        has_costs: bool = False,
        is_named: bool = False,
        voice: VoiceTerms | None = None,
        has_answered: bool = False,
    ) -> ui.LayoutView:
        """Render a person's stored data, with a button to delete it.

        `has_costs`: whether the sums that a person has spent are stored too.
        `is_named`: whether a block, or a change of a setting, names the person.
        `voice`: None if no video service gets narrations.
        `has_answered`: whether an answer about the person's voice is stored, for any service.
        """
        is_earlier = has_answered and (voice is None or voice.agrees is None)
        forget = self._button(
            stored,
            PrivacyStep.FORGET_VOICE,
            "button.forget_voice",
            discord.ButtonStyle.secondary,
        )
        rows = [f"- {line}" for line in self._rows(stored.rows_until)]
        rows += [f"- {self._say('privacy.named')}"] if is_named else []
        rows += [f"- {self._say('privacy.voice_earlier')}"] if is_earlier else []
        if stored.is_empty and not is_named:
            head = "privacy.heading" if rows or has_answered else "privacy.nothing"
            told = self._voice(voice) if voice else []
            return render_panel(
                [self._say(head), *rows, *told], *([forget] if has_answered else [])
            )
        lines = [
            self._say("privacy.heading"),
            *(f"- {line}" for line in self._list(stored)),
            *rows,
            self._ages(stored, limits),
            *([self._say("privacy.costs")] if has_costs else []),
            *self._traces(limits),
            *self._voice(voice),
        ]
        return render_panel(
            lines,
            self._button(stored, PrivacyStep.ASK, "button.delete_data", discord.ButtonStyle.danger),
            *([forget] if has_answered else []),
        )

    def _voice(self, voice: VoiceTerms | None) -> list[str]:
        """Say who hears the person's voice, and on which terms."""
        if voice is None:
            return [self._say("privacy.provider")]
        service = quoted(voice.service, _SERVICE_CHARACTERS)
        guided = self._say("privacy.provider_guided")
        if not voice.is_asked:
            return [guided, self._say("privacy.voice_inside", service=service)]
        match voice.agrees:
            case True:
                told = self._say("privacy.voice_agreed", service=service)
            case False:
                told = self._say("privacy.voice_declined", service=service)
            case None:
                told = self._say("privacy.voice_unanswered", service=service)
        return [guided, told, *([self._say("privacy.voice_spoken")] if voice.speaks else [])]

    def question(self, stored: StoredData) -> ui.LayoutView:
        """Render the question of whether to delete all of a person's data."""
        lines = [
            self._say("privacy.sure"),
            self._say("privacy.cards"),
            *self._open(stored.open_jobs),
        ]
        return render_panel(
            lines,
            self._button(
                stored, PrivacyStep.DELETE, "button.delete_all", discord.ButtonStyle.danger
            ),
            self._button(
                stored, PrivacyStep.SHOW, "button.keep_data", discord.ButtonStyle.secondary
            ),
        )

    def working(self) -> ui.LayoutView:
        """Render the message that is shown while the data is being deleted."""
        return render_panel([self._say("privacy.deleting")])

    def done(self, deletion: Deletion, limits: RetentionLimits) -> ui.LayoutView:
        """Render a summary of the data that was deleted and the data that was kept."""
        lines = [self._outcome(deletion), *self._open(deletion.open_jobs)]
        lines += self._rows(deletion.rows_until)
        if deletion.deleted or deletion.speeches or deletion.choice:
            lines += self._traces(limits, deleted_at=deletion.at)
        lines += [self._say("privacy.cards_left")] if deletion.deleted else []
        return render_panel(lines)

    def _outcome(self, deletion: Deletion) -> str:
        if not deletion.open_jobs:
            return self._say("privacy.deleted")
        if deletion.deleted or deletion.speeches:
            return self._say("privacy.deleted_partly")
        return self._say("privacy.deleted_choice" if deletion.choice else "privacy.deleted_nothing")

    def _list(self, stored: StoredData) -> Iterator[str]:
        yield self._say("privacy.prompts", prompts=stored.prompts)
        if stored.videos:
            size = megabytes(stored.video_bytes)
            yield self._say("privacy.videos", videos=stored.videos, size=size)
        if stored.narrations:
            yield self._say("privacy.narrations", narrations=stored.narrations)
        if stored.speeches:
            yield self._say("privacy.speeches", texts=stored.speeches)
        yield self._say("privacy.choice", choice=self.choice(stored.person))

    def _ages(self, stored: StoredData, limits: RetentionLimits) -> str:
        ages = self._say("privacy.ages", days=limits.days)
        if stored.next_at is None:
            return ages
        return f"{ages} {self._say('privacy.next', when=f'<t:{int(stored.next_at)}:R>')}"

    def _traces(self, limits: RetentionLimits, *, deleted_at: float | None = None) -> list[str]:
        """Say for how long, or until when, deleted data stays in copies of the database."""
        if limits.trace_days == 0:
            return []
        if limits.trace_days is None:
            return [self._say("privacy.traces_unknown")]
        if deleted_at is None:
            return [self._say("privacy.traces", days=limits.trace_days)]
        until = deleted_at + limits.trace_days * _DAY
        return [self._say("privacy.traces_until", when=f"<t:{int(until)}:D>")]

    def _rows(self, until: float | None) -> list[str]:
        return [] if until is None else [self._say("privacy.counted", when=f"<t:{int(until)}:R>")]

    def _open(self, jobs: int) -> list[str]:
        return [self._say("privacy.open", jobs=jobs)] if jobs else []

    def _button(
        self, stored: StoredData, step: PrivacyStep, key: str, style: discord.ButtonStyle
    ) -> ui.Button[ui.LayoutView]:
        custom_id = f"clapper:privacy:{step}:{stored.person.user_id}"
        return ui.Button(style=style, label=self._say(key), custom_id=custom_id)

    def _say(self, key: str, **fields: object) -> str:
        return self._texts(key, self._locale, **fields)

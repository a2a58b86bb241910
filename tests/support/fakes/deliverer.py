"""Discord as the engine sees it: the cards, the videos and the DMs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.artifacts import Handover

if TYPE_CHECKING:
    from bot.artifacts import Artifact
    from bot.model import Job


@dataclass
class FakeDeliverer:
    """Discord: the content of each job's message, and the DMs that were sent."""

    found: int | None = 77
    handover: Handover = Handover.CARD
    cards: dict[str, str] = field(default_factory=dict[str, str])
    videos: dict[str, Artifact] = field(default_factory=dict[str, "Artifact"])
    dms: Counter[str] = field(default_factory=Counter[str])
    notes: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    faults: list[Exception] = field(default_factory=list[Exception])

    async def find_message(self, job: Job) -> int | None:
        self._fail()
        assert job.origin.message_id is None
        return self.found

    async def show(self, job: Job) -> None:
        self._fail()
        self.cards[job.id] = job.failure.key if job.failure else str(job.state)

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:
        self._fail()
        if self.handover is not Handover.HELD:
            self.videos[job.id] = artifact
            self.notes[job.id] = job.note
            self.cards[job.id] = "video"
        return self.handover

    async def notify(self, job: Job, video: Artifact | None) -> bool:
        self._fail()
        assert (video is not None) == job.card_gone
        if job.dm_intent_at is None:
            self.dms[job.id] += 1
        return True

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

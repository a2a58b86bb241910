"""Builds the components that sign links, delete videos and keep texts.

It also reads the default for DMs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.library.retention import Retention, RetentionLimits
from bot.links import Links, derive_key
from bot.speech.kept_speeches import KeptSpeeches
from storage.people import Notify, NotifyDefault
from storage.retention import RetentionStore
from storage.speeches import SpeechStore

if TYPE_CHECKING:
    from bot.library.remote_deletion import RemoteDeletion
    from bot.runtime.engine import Engine
    from bot.runtime.resources import Resources
    from bot.settings.fields import Settings
    from storage.people import PeopleStore

_GIB = 1024**3
_LINK_SECONDS = 7 * 24 * 60 * 60.0


def notify_default(settings: Settings) -> NotifyDefault:
    """Return the setting for when people who have not used `/notify` get a DM."""
    notify = Notify(settings.notify)
    minutes = settings.notify_minutes if notify is Notify.LATE else 0
    return NotifyDefault(notify=notify, minutes=minutes)


def make_links(resources: Resources) -> Links:
    """Return the component that signs links to videos."""
    return Links(
        derive_key(resources.secret, "links"),
        public_url=resources.settings.public_url,
        lifetime=_LINK_SECONDS,
        clock=resources.clock,
    )


def make_kept_speeches(engine: Engine) -> KeptSpeeches:
    """Return the component that keeps the texts that were read aloud."""
    store = SpeechStore(engine.resources.database)
    return KeptSpeeches(store, engine.workspace, clock=engine.resources.clock)


def make_retention(
    engine: Engine, people: PeopleStore, speeches: KeptSpeeches, remote_deletion: RemoteDeletion
) -> Retention:
    """Return the component that deletes expired videos, and jobs that people asked to delete."""
    settings = engine.resources.settings
    return Retention(
        RetentionStore(engine.resources.database),
        people,
        engine.workspace,
        engine.jobs,
        speeches=speeches,
        spent=engine.spent,
        kept_files=engine.kept_files,
        limits=RetentionLimits(
            days=settings.keep_days,
            max_bytes=round(settings.keep_gb * _GIB),
            trace_days=settings.database_keeps_days if isinstance(settings.database, str) else 0,
        ),
        on_deleted=remote_deletion.wake,
        clock=engine.resources.clock,
    )

"""`/privacy` says for how long a PostgreSQL database's copies keep what was deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.delivery.views.privacy_view import PrivacyView
from bot.library.retention import Deletion, RetentionLimits, StoredData
from bot.texts import Texts
from storage.people import Person
from tests.support.fakes.clock import START
from tests.support.shown import read

STORED = StoredData(
    person=Person(user_id=1),
    prompts=2,
    speeches=0,
    open_jobs=0,
    videos=0,
    video_bytes=0,
    narrations=0,
    next_at=None,
    rows_until=None,
)
DELETION = Deletion(deleted=2, speeches=0, open_jobs=0, choice=False, at=START, rows_until=None)
SQLITE = RetentionLimits(days=30, max_bytes=1)
POSTGRES = replace(SQLITE, trace_days=None)


def shown(limits: RetentionLimits, locale: str, deletion: Deletion = DELETION) -> list[str]:
    """Return the words about traces before and after the deletion."""
    view = PrivacyView(Texts.load(), locale)
    lines = [*read(view.overview(STORED, limits)), *read(view.done(deletion, limits))]
    word = {"en-US": "backups", "de": "Sicherungen", "ja": "バックアップ"}[locale]
    return [line for line in lines if word in line]


@pytest.mark.parametrize("locale", ["en-US", "de", "ja"])
def test_the_days_and_the_last_day_are_named(locale: str) -> None:
    assert shown(SQLITE, locale) == []
    before, after = shown(replace(POSTGRES, trace_days=14), locale)
    assert "14" in before
    assert f"<t:{int(START) + 14 * 24 * 3600}:D>" in after
    assert shown(replace(POSTGRES, trace_days=1), locale)[0] != before


@pytest.mark.parametrize("locale", ["en-US", "de", "ja"])
def test_without_a_number_the_operator_is_named(locale: str) -> None:
    before, after = shown(POSTGRES, locale)
    assert before == after
    nothing = replace(DELETION, deleted=0)
    assert shown(POSTGRES, locale, nothing) == [before]

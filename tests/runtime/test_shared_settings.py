"""Processes on one database compare the settings that decide what is ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.jobs.leases.shared_settings import differing, digest_of
from bot.runtime.parts.heartbeat import shared_settings
from bot.settings.fields import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.usefixtures("_empty_environment")

KEY = b"derived from the secret"
COMMON: Mapping[str, str] = {
    "VIDEO_BACKEND": "openai",
    "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1",
    "OPENAI_API_KEY": "sk-first",
    "STORE_URL": "s3://bucket/a",
    "STORE_SECRET": "this-machine-alone",
    "NARRATION_FIT": "hold",
}


def digest(monkeypatch: pytest.MonkeyPatch, **changed: str) -> str:
    for name, value in {**COMMON, **changed}.items():
        monkeypatch.setenv(name, value)
    return digest_of(shared_settings(Settings()), key=KEY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
        ("OPENAI_API_KEY", "sk-second"),
        ("OPENAI_EXTRA", '{"fps": 24}'),
        ("VIDEO_MODEL", "another"),
        ("VIDEO_SECONDS", "5"),
        ("VIDEO_SIZE", "720x1280"),
        ("STORE_URL", "s3://bucket/b"),
    ],
)
def test_a_setting_that_has_to_be_the_same_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = digest(monkeypatch), digest(monkeypatch, **{name: value})
    assert differing(here, there) == (name,)


@pytest.mark.parametrize(
    ("name", "value"), [("STORE_SECRET", "of-another"), ("MAX_JOBS", "3"), ("LOG_LEVEL", "DEBUG")]
)
def test_a_setting_of_one_machine_may_differ(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert differing(digest(monkeypatch), digest(monkeypatch, **{name: value})) == ()


def test_another_backend_is_named_with_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    here = digest(monkeypatch)
    there = digest(monkeypatch, VIDEO_BACKEND="storyboard", STORYBOARD_URL="http://127.0.0.1:1")
    names = differing(here, there)
    assert {"VIDEO_BACKEND", "STORYBOARD_URL", "OPENAI_BASE_URL"} <= {*names}


def test_a_digest_has_no_value_of_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    text = digest(monkeypatch)
    assert not any(f'{value}"' in text for value in COMMON.values())

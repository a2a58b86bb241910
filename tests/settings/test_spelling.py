"""Tests the warnings about misspelt and unknown names of settings."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import get_args

import pytest

from bot.__main__ import main
from bot.commands.checks.configuration.unused_provider import unused_provider
from bot.errors import StartupError
from bot.settings.fields import Settings, load_settings
from bot.settings.spelling import UnknownName, unknown_names

BACKENDS = get_args(Settings.model_fields["video_backend"].annotation)


pytestmark = pytest.mark.usefixtures("_empty_environment")


def write(text: str) -> None:
    Path(".env").write_text(text, encoding="utf-8")


def test_all_settings_are_known_in_any_case() -> None:
    write("".join(f"{name.upper()}=1\n" for name in Settings.model_fields) + "export log_level=x\n")
    assert unknown_names(dict.fromkeys(Settings.model_fields, "1"), Settings) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("VIDEO_BACKED", "VIDEO_BACKEND"),
        ("DISCORD_BOT_TOKEN", "DISCORD_TOKEN"),
        ("KEEP_DAY", "KEEP_DAYS"),
        ("MAX_JOBS_PER_USERS", "MAX_JOBS_PER_USER"),
        ("DISCORD-TOKEN", "DISCORD_TOKEN"),
    ],
)
def test_a_misspelt_name_is_found_in_the_file_and_in_the_environment(name: str, meant: str) -> None:
    assert unknown_names({name: ""}, Settings) == [
        UnknownName(name=name, meant=meant, in_file=False)
    ]
    write(f"{name}=\n")
    assert unknown_names({name: ""}, Settings) == [
        UnknownName(name=name, meant=meant, in_file=True)
    ]


def test_a_name_like_no_setting_is_reported_only_in_the_file() -> None:
    write("COMPOSE_PROJECT=bots\n")
    unknown = unknown_names({"LANG": "C", "HOME": "/", "EDITOR": "vi"}, Settings)
    assert [str(each) for each in unknown] == [
        "COMPOSE_PROJECT in .env is not a setting: it has no effect"
    ]


@pytest.mark.parametrize(
    "name", ["HTTP_PROXY", "HTTPS_PROXY", "OPENAI_ORG_ID", "OPENAI_API_BASE", "LOGNAME", "SECRET"]
)
def test_names_that_other_programs_use_in_the_environment_are_ignored(name: str) -> None:
    assert unknown_names({name: "x"}, Settings) == []


def test_a_secret_on_a_line_without_a_name_is_not_shown() -> None:
    write(f"sk-or-v1-{'a' * 40}\nMTIz.{'b' * 40}\n{'c' * 60}=1\nsk-{'d' * 30}=\n")
    assert unknown_names({}, Settings) == []


@pytest.mark.parametrize("name", ["DISCORD_BOT_TOKEN", "DISCORD-TOKEN"])
def test_a_missing_setting_is_reported_with_its_misspelling(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(f"{name}=a.b.c\nVIDEO_BACKED=openai\n")
    assert main(["run"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line == (
        "DISCORD_TOKEN is missing: copy it into .env from the Bot page of the Discord Developer "
        f"Portal. {name} in .env is not a setting: did you mean DISCORD_TOKEN?"
    )


def test_the_doctor_reports_invalid_and_misspelt_settings_together(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("VIDEO_SECONDS=0\nKEEP_DAY=3\nDISCORD_TOKEN=a.b.c\n")
    assert main(["doctor"]) == 1
    first, second, advice, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("!!  VIDEO_SECONDS ")
    assert second == "!!  KEEP_DAY      is not a setting"
    assert advice.strip() == "-> did you mean KEEP_DAYS?"


def test_the_start_warns_and_continues(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("VIDEO_BACKED=openai\nDISCORD_TOKEN=a.b.c\n")
    monkeypatch.setenv("HTTP_HOST", "203.0.113.1")
    monkeypatch.setattr("bot.logs.logging.basicConfig", lambda **_: None)
    assert main(["run"]) == 2  # this machine does not have that address
    [record] = [each for each in caplog.records if each.levelno == logging.WARNING][:1]
    assert record.getMessage() == (
        "settings.unknown name=VIDEO_BACKED advice='did you mean VIDEO_BACKEND?'"
    )


def test_the_doctor_warns(capsys: pytest.CaptureFixture[str]) -> None:
    write("VIDEO_BACKED=openai\nCOMPOSE_PROJECT=bots\n")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("!!  settings           COMPOSE_PROJECT, VIDEO_BACKED")
    assert "VIDEO_BACKED in .env is not a setting: did you mean VIDEO_BACKEND?" in lines[at + 1]


def test_the_doctor_accepts_known_settings(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    assert "ok  settings           no unknown settings" in capsys.readouterr().out.splitlines()


def test_a_provider_that_is_not_chosen_is_reported(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("OPENAI_BASE_URL=http://127.0.0.1:8000/v1\nDISCORD_TOKEN=a.b.c\n")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("!!  settings           OPENAI_BASE_URL")
    assert "set VIDEO_BACKEND=openai to use it" in lines[at + 1]

    monkeypatch.setenv("HTTP_HOST", "203.0.113.1")
    monkeypatch.setattr("bot.logs.logging.basicConfig", lambda **_: None)
    assert main(["run"]) == 2
    assert "settings.idle name=OPENAI_BASE_URL advice='set VIDEO_BACKEND=openai" in caplog.text


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "storyboard"])
def test_every_provider_requires_a_setting_that_shows_that_it_is_meant(backend: str) -> None:
    with pytest.raises(StartupError) as refused:
        load_settings(video_backend=backend)
    required = str(refused.value).partition(" ")[0]
    unused = unused_provider(load_settings(**{required.lower(): "https://made-up.example"}))
    assert unused
    assert (unused.name, unused.backend) == (required, backend)


def test_title_cards_may_be_chosen_over_a_provider(capsys: pytest.CaptureFixture[str]) -> None:
    write("OPENAI_BASE_URL=http://127.0.0.1:8000/v1\nVIDEO_BACKEND=storyboard\n")
    main(["doctor"])
    assert "ok  settings           no unknown settings" in capsys.readouterr().out.splitlines()

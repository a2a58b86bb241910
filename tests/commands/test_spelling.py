"""Tests the warnings about misspelt and unknown names of settings."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.commands.checks.setting_names import UnknownName, unknown_names
from bot.settings.fields import Settings


@pytest.fixture(autouse=True)
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def write(text: str) -> None:
    Path(".env").write_text(text, encoding="utf-8")


def test_all_settings_are_known_in_any_case() -> None:
    write("".join(f"{name.upper()}=1\n" for name in Settings.model_fields) + "export log_level=x\n")
    assert unknown_names(dict.fromkeys(Settings.model_fields, "1")) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("VIDEO_BACKED", "VIDEO_BACKEND"),
        ("DISCORD_BOT_TOKEN", "DISCORD_TOKEN"),
        ("KEEP_DAY", "KEEP_DAYS"),
        ("MAX_JOBS_PER_USERS", "MAX_JOBS_PER_USER"),
    ],
)
def test_a_misspelt_name_is_found_in_the_file_and_in_the_environment(name: str, meant: str) -> None:
    assert unknown_names({name: ""}) == [UnknownName(name=name, meant=meant, in_file=False)]
    write(f"{name}=\n")
    assert unknown_names({name: ""}) == [UnknownName(name=name, meant=meant, in_file=True)]


def test_a_name_like_no_setting_is_reported_only_in_the_file() -> None:
    write("COMPOSE_PROJECT=bots\n")
    unknown = unknown_names({"LANG": "C", "HOME": "/", "EDITOR": "vi"})
    assert [str(each) for each in unknown] == [
        "COMPOSE_PROJECT in .env is not a setting: it has no effect"
    ]


@pytest.mark.parametrize(
    "name", ["HTTP_PROXY", "HTTPS_PROXY", "OPENAI_ORG_ID", "OPENAI_API_BASE", "LOGNAME", "SECRET"]
)
def test_names_that_other_programs_use_in_the_environment_are_ignored(name: str) -> None:
    assert unknown_names({name: "x"}) == []


def test_a_secret_on_a_line_without_a_name_is_not_shown() -> None:
    write(f"sk-or-v1-{'a' * 40}\nMTIz.{'b' * 40}\n{'c' * 60}=1\n")
    assert unknown_names({}) == []


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
    at = lines.index("!!  settings         COMPOSE_PROJECT, VIDEO_BACKED")
    assert "VIDEO_BACKED in .env is not a setting: did you mean VIDEO_BACKEND?" in lines[at + 1]


def test_the_doctor_accepts_known_settings(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    assert "ok  settings         all names are valid" in capsys.readouterr().out.splitlines()


def test_a_provider_that_is_not_chosen_is_reported(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("OPENAI_BASE_URL=http://127.0.0.1:8000/v1\nDISCORD_TOKEN=a.b.c\n")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("!!  settings         OPENAI_BASE_URL")
    assert "set VIDEO_BACKEND=openai to use it" in lines[at + 1]

    monkeypatch.setenv("HTTP_HOST", "203.0.113.1")
    monkeypatch.setattr("bot.logs.logging.basicConfig", lambda **_: None)
    assert main(["run"]) == 2
    assert "settings.idle name=OPENAI_BASE_URL advice='set VIDEO_BACKEND=openai" in caplog.text


def test_title_cards_may_be_chosen_over_a_provider(capsys: pytest.CaptureFixture[str]) -> None:
    write("OPENAI_BASE_URL=http://127.0.0.1:8000/v1\nVIDEO_BACKEND=storyboard\n")
    main(["doctor"])
    assert "ok  settings         all names are valid" in capsys.readouterr().out.splitlines()

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import StartupError
from bot.settings.env_file import odd_lines, quoted_values
from bot.settings.fields import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

NAMES = Settings.model_fields
GOOD = """
# a comment
DISCORD_TOKEN=abc
export HTTP_PORT=8080
VIDEO_MODEL = "veo 3"  # a comment
OPENAI_EXTRA='{"a": 1}'
EMPTY=
ALONE
PROMPT="two
lines"
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_lines_in_the_usual_form_are_accepted(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(GOOD, encoding="utf-8")
    assert odd_lines(tmp_path / ".env", NAMES) == []
    assert odd_lines(tmp_path / "none", NAMES) == []


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("DISCORD_TOKEN: secret", "write DISCORD_TOKEN=value, with = instead of a colon."),
        ("  DISCORD_TOKEN :secret", "write DISCORD_TOKEN=value, with = instead of a colon."),
        ("set DISCORD_TOKEN=secret", "write DISCORD_TOKEN=value, without a command before it."),
        ("$env:DISCORD_TOKEN=secret", "write DISCORD_TOKEN=value, without a command before it."),
        ('DISCORD_TOKEN="secret', "the value of DISCORD_TOKEN has no closing quotation mark."),
        ("DISCORD_TOKEN=“secret”", "use straight quotation marks, or none."),
        ("DISCORD_TOKEN", "write DISCORD_TOKEN=value."),
        ("export discord_token  # secret", "write discord_token=value."),
        ('{"DISCORD_TOKEN": "secret"}', "it is not of the form NAME=value."),
        ('DISCORD_TOKEN="secret" more', "it is not of the form NAME=value."),
    ],
)
def test_a_line_in_another_form_is_named_and_ends_the_start(
    tmp_path: Path, line: str, advice: str
) -> None:
    (tmp_path / ".env").write_text(f"# ours\n\nHTTP_PORT=0\n{line}\n", encoding="utf-8")
    assert odd_lines(tmp_path / ".env", NAMES) == [f".env, line 4: {advice}"]
    with pytest.raises(StartupError, match=r"\.env, line 4: ") as refused:
        load_settings()
    assert "secret" not in str(refused.value)


def test_a_byte_order_mark_hides_no_setting(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HTTP_PORT=1234\n", encoding="utf-8-sig")
    assert load_settings().http_port == 1234


@pytest.mark.parametrize("value", ['"abc"', "'abc'", '""'])
def test_a_value_that_docker_left_in_quotation_marks_is_reported(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", value)
    with pytest.raises(StartupError, match="DISCORD_TOKEN: its value is in quotation marks"):
        load_settings()


def test_quotation_marks_within_values_and_in_other_variables_are_ignored() -> None:
    environment = {"OPENAI_EXTRA": '{"a": 1}', "PS1": '"$ "', "VIDEO_MODEL": '"', "A": "'b' 'c'"}
    assert quoted_values(environment, {"openai_extra", "video_model"}) == []

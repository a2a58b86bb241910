"""Tests the demo's drawing of a card as a frame of text."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest

from bot.demo.terminal import CardTerminal

NOW = 1_800_000_000


class Tty(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _wide_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def text(*lines: str) -> dict[str, Any]:
    return {"type": 10, "content": "\n".join(lines)}


def card(*inside: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": 17, "components": list(inside)}]


def drawn(*inside: dict[str, Any], out: io.StringIO | None = None) -> list[str]:
    """Draw a card, and return its lines."""
    out = out or io.StringIO()
    CardTerminal(out, names={7: "ada"}, clock=lambda: NOW).draw(card(*inside))
    return out.getvalue().splitlines()


def cells(line: str) -> int:
    """Count the columns of a line in a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in line)
    return len(line) + wide - sum(unicodedata.combining(character) > 0 for character in line)


def test_a_card_is_a_frame_around_plain_text() -> None:
    lines = drawn(
        text(
            "**Creating the video**",
            "> A \\*cat\\* on a `roof` \\<t:1:R>",
            "-# For\u00a0<@7> and <@8>",
        ),
        {"type": 1, "components": [{"label": "Cancel"}, {"label": "Give up"}]},
    )
    assert [line.strip(" │") for line in lines[1:-1]] == [
        "Creating the video",
        "A *cat* on a roof <t:1:R>",
        "For @ada and @8",
        "[ Cancel ]  [ Give up ]",
    ]
    assert {len(line) for line in lines} == {74}
    assert "\x1b" not in "".join(lines)


def test_without_a_terminal_each_version_is_drawn_below_the_last() -> None:
    out = io.StringIO()
    terminal = CardTerminal(out, names={}, clock=lambda: NOW)
    terminal.draw(card(text("one")))
    terminal.draw(card(text("two")))
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().index("one") < out.getvalue().index("two")


def test_a_terminal_is_redrawn_over_all_lines_of_the_last_version() -> None:
    out = Tty()
    terminal = CardTerminal(out, names={}, clock=lambda: NOW)
    terminal.draw(card(text("one", "two", "three")))
    first = out.getvalue()
    assert "\x1b[J" not in first
    terminal.draw(card(text("four")))
    assert out.getvalue().removeprefix(first).startswith("\x1b[5A\x1b[J")
    terminal.draw(card(text("five")))
    assert out.getvalue().count("\x1b[3A\x1b[J") == 1


def test_headings_are_bold_and_small_text_is_dim_within_a_straight_frame() -> None:
    lines = drawn(text("**Finishing**", "-# small", "plain"), out=Tty())
    assert lines[1].startswith("  │ \x1b[1mFinishing ")
    assert lines[2].startswith("  │ \x1b[2msmall ")
    bare = [line.replace("\x1b[1m", "").replace("\x1b[2m", "") for line in lines]
    assert {len(line.replace("\x1b[0m", "")) for line in bare} == {74}


@pytest.mark.parametrize(
    "prompt",
    [
        "虹はどうやってできるのか、やさしく説明してください。" * 4,
        "Explain 虹 in a few words, please, with 日本語 in between " * 3,
        "a rocket 🚀 on its way",
        "@\N{ZERO WIDTH SPACE}everyone",
        "l'e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}",
        "w" * 200,
    ],
    ids=["japanese", "mixed", "emoji", "zero width", "combining", "one long word"],
)
def test_the_frame_is_straight_around_any_text(prompt: str) -> None:
    lines = drawn(text("**Creating**", f"> {prompt}"))
    assert {cells(line) for line in lines} == {74}
    inside = [line[4:-2] for line in lines[2:-1]]
    assert all(line.startswith("│ ") for line in inside)
    written = "".join(line.removeprefix("│ ").replace(" ", "") for line in inside)
    assert written == prompt.replace(" ", "").replace("\N{ZERO WIDTH SPACE}", "")


def test_a_prompt_cannot_contain_control_characters() -> None:
    assert "\x1b" not in "".join(drawn(text("> \x1b[2Jgone\x07")))


def test_small_text_of_two_lines_is_dim_on_both() -> None:
    lines = drawn(text("-# " + "word " * 20), out=Tty())
    assert [line.count("\x1b[2m") for line in lines[1:-1]] == [1, 1]


def test_a_narrow_window_gets_a_narrow_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    buttons = [{"label": "Try again (may cost double)"}, {"label": "Give up"}]
    lines = drawn(
        text("**I can't tell whether it was accepted**"), {"type": 1, "components": buttons}
    )
    assert {len(line) for line in lines} == {28}
    assert "**" not in "".join(lines)
    assert any("[ Give up ]" in line for line in lines)


def test_a_window_without_width_causes_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "3")
    assert drawn(text("> hello"))


def test_times_are_shown_as_elapsed_seconds() -> None:
    assert "Started 12 seconds ago" in drawn(text(f"Started <t:{NOW - 12}:R>"))[1]
    assert "Started 0 seconds ago" in drawn(text(f"Started <t:{NOW + 5}:R>"))[1]


def test_a_video_is_named_a_link_is_a_button_and_other_components_are_omitted() -> None:
    gallery = {
        "type": 12,
        "items": [{"media": {"url": "https://cdn.example/a/clip.mp4?ex=1&hm=2"}}],
    }
    watch = {"type": 1, "components": [{"label": "Watch the video (31.0 MB)", "url": "https://x"}]}
    lines = drawn(gallery, watch, {"type": 14}, text("", "end"))
    assert [line.strip(" │") for line in lines[1:-1]] == [
        "▶  clip.mp4",
        "[ Watch the video (31.0 MB) ]",
        "",
        "end",
    ]

"""Writes the tables of video services in README.md and docs/backends.md from their capabilities."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bot.backends.capabilities import BY_BACKEND
from bot.presets import ClipLengths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.backends.capabilities import Capabilities

_ROOT = Path(__file__).parent.parent
_BEGIN, _END = "<!-- begin:{name} -->", "<!-- end:{name} -->"
_MAKERS = {
    "storyboard": "Clapper itself: animated title cards",
    "openai": "A server with the Videos API: vLLM-Omni, SGLang, LiteLLM or another gateway",
    "openrouter": "[OpenRouter](https://openrouter.ai): models of many makers behind one key",
    "gemini": "Google's [Gemini Omni](https://ai.google.dev/gemini-api/docs/omni), experimental",
}
_PAID = {
    "openai": "your GPUs, or the vendor's price",
    "openrouter": "per clip",
    "gemini": "per clip",
}
_HEARS = {"openai": "vLLM-Omni, some models", "openrouter": "by model"}
_ASKED = {"openai": "`VIDEO_LENGTHS`", "openrouter": "by model"}
#: The lengths in the examples. A model's list and an operator's setting have these.
EXAMPLES: Mapping[str, tuple[int, ...]] = {
    "storyboard": BY_BACKEND["storyboard"].lengths,
    "openai": (4, 8, 12),
    "openrouter": (4, 6, 8),
    "gemini": BY_BACKEND["gemini"].lengths,
}
USUAL, LONGEST, VOICES = 4, (8, 15, 30), (3.0, 8.4, 13.0, 31.0, 300.0)


def ordered(backend: str, longest: int, voice: float) -> int:
    """Return the length of the clip that an example orders."""
    return ClipLengths.within(USUAL, longest, EXAMPLES[backend]).for_sound(voice)


def tables() -> Mapping[Path, Mapping[str, str]]:
    """Return the tables of each page, by their names."""
    return {
        _ROOT / "README.md": {"backends": _backends()},
        _ROOT / "docs" / "backends.md": {"capabilities": _features(), "lengths": _lengths()},
    }


def with_tables(page: str, found: Mapping[str, str]) -> str:
    """Return the text of a page with these tables."""
    for name, table in found.items():
        begin, end = _BEGIN.format(name=name), _END.format(name=name)
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return page


def _backends() -> str:
    rows = [
        (f"`{name}`", _MAKERS[name], _seconds(name, known), _cost(name, known))
        for name, known in BY_BACKEND.items()
    ]
    return _table(("`VIDEO_BACKEND`", "What makes the video", "Seconds", "Cost"), rows)


def _features() -> str:
    rows = [
        ("Lengths in seconds", _seconds),
        (
            "Hears the narration",
            lambda name, known: _HEARS.get(name, _yes(is_so=known.hears_voice)),
        ),
        ("Webhooks", lambda _, known: "with a secret" if known.webhooks else "no"),
        ("List of jobs", lambda _, known: _yes(is_so=known.lists)),
        ("The list always repeats", lambda _, known: ", ".join(sorted(known.echoes)) or "-"),
        ("Knows a repeated order", lambda _, known: _yes(is_so=known.idempotency)),
        ("Cancels", lambda _, known: _yes(is_so=known.cancels)),
        ("Reports a percentage", lambda _, known: _yes(is_so=known.progress)),
        ("Runs", lambda _, known: known.place.value),
    ]
    cells = [
        (title, *(of(name, known) for name, known in BY_BACKEND.items())) for title, of in rows
    ]
    return _table(("", *(f"`{name}`" for name in BY_BACKEND)), cells)


def _lengths() -> str:
    rows = [
        (f"`{name}` ({_offer(name)})", str(longest), *(_clip(name, longest, v) for v in VOICES))
        for name in EXAMPLES
        for longest in LONGEST
    ]
    return _table(("Lengths on offer", "Most", *(f"{voice:g} s" for voice in VOICES)), rows)


def _clip(name: str, longest: int, voice: float) -> str:
    seconds = ordered(name, longest, voice)
    still = voice - seconds
    return f"{seconds} + {still:g}" if still > 0 else str(seconds)


def _offer(name: str) -> str:
    return _span(EXAMPLES[name])


def _seconds(name: str, known: Capabilities) -> str:
    return _span(known.lengths) if known.lengths else _ASKED[name]


def _span(lengths: tuple[int, ...]) -> str:
    is_whole = len(lengths) == lengths[-1] - lengths[0] + 1
    return f"{lengths[0]} to {lengths[-1]}" if is_whole else ", ".join(map(str, lengths))


def _cost(name: str, known: Capabilities) -> str:
    return "free" if known.second_dollars == 0 else _PAID[name]


def _yes(*, is_so: bool) -> str:
    return "yes" if is_so else "no"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> int:
    """Write the tables."""
    for path, found in tables().items():
        path.write_text(with_tables(path.read_text("utf-8"), found), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

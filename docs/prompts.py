"""Writes docs/prompts.md: twenty prompts in five languages, with the lines that are added.

`make prompts` runs it. A test checks that the page is current.
"""

# ruff: noqa: RUF001  # prompts as people type them

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.backends.capabilities import Capabilities
from bot.prompts.reading import PromptReader
from bot.prompts.template import TemplateWriter

PAGE = Path(__file__).with_suffix(".md")
_INTRO = """\
# Prompts as they are sent

With `PROMPT_WRITER=template`, the default, the bot sends the typed prompt unchanged and adds the
lines below it. It leaves out what the prompt already says: a prompt that names a setting, a camera,
a light or a movement gets no line of that kind. Detailed prompts, and prompts in other languages,
are sent as they are. `make prompts` generates this page, and a test checks that it is current.
"""
_ALONE = "*sent as it is*"
PROMPTS = {
    "English": (
        "Explain quantum computing",
        "Why do leaves change colour?",
        "A paper boat sails down a rainy street",
        "Anime: a girl runs through neon streets at night, low angle, tracking shot",
    ),
    "Deutsch": (
        "Erkläre mir, wie ein Regenbogen entsteht",
        "Was ist Photosynthese?",
        "Eine Katze auf einem Dach",
        "Nahaufnahme: Ein Pferd galoppiert im Gegenlicht über den Strand, schwarz-weiß",
    ),
    "日本語": (
        "量子コンピュータをわかりやすく説明して",
        "なぜ空は青いの？",
        "雨の通りを流れていく紙の舟",
        "水彩画風、夕焼けの海辺をゆっくり歩く老人、俯瞰ショット",
    ),
    "Español": (
        "Explica la computación cuántica",
        "¿Por qué flotan los barcos?",
        "Un gato en un tejado al atardecer",
        "Plano aéreo de un velero en el mar, de noche, la cámara gira despacio, estilo acuarela",
    ),
    "Français": (
        "Explique-moi la photosynthèse",
        "Comment naissent les volcans ?",
        "Un renard dans la neige",
        "Gros plan d’une bougie dans une chambre sombre, la flamme tremble, peinture à l’huile",
    ),
}


async def page() -> str:
    """Return the text of the page."""
    template = TemplateWriter(PromptReader.load())
    parts = [_INTRO]
    for language, prompts in PROMPTS.items():
        parts.append(f"## {language}\n\n| Typed | Added |\n| --- | --- |")
        parts += [await _row(template, prompt) for prompt in prompts]
        parts.append("")
    return "\n".join(parts)


async def _row(template: TemplateWriter, prompt: str) -> str:
    written = await template.write(prompt, room=Capabilities().prompt_characters)
    lines = written.removeprefix(prompt).strip().splitlines()
    return f"| {prompt} | {'<br>'.join(lines) or _ALONE} |"


def main() -> int:
    """Write the page."""
    PAGE.write_text(asyncio.run(page()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The texts, buttons and colours that a card shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.artifacts import Artifact
from bot.demo.fake_discord.state.components import walk
from tests.support.fakes.clock import START
from tests.support.jobs import JOB_ID

if TYPE_CHECKING:
    from discord import ui

ARTIFACT = Artifact(job_id=JOB_ID, size=31 * 1024 * 1024, sha256="0" * 64, created_at=START)


def parts(view: ui.LayoutView) -> list[dict[str, Any]]:
    return list(walk(view.to_components()))


def read(view: ui.LayoutView) -> list[str]:
    """Return the lines of text that a view shows."""
    lines = "\n".join(part["content"] for part in parts(view) if "content" in part)
    return lines.replace("\u00a0", " ").split("\n")


def labels(view: ui.LayoutView) -> list[str]:
    return [part["label"] for part in parts(view) if "label" in part]


def colour(view: ui.LayoutView) -> int:
    return next(part["accent_color"] for part in parts(view) if "accent_color" in part)

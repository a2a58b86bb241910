"""Remembers the words of recordings, so that videos ordered with those recordings get captions."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.media.files.atomic import run_uncancelled
from bot.media.files.stores.folder import link_or_copy

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.files.workspace import Workspace


async def remember_words(workspace: Workspace, client: str, recording: Path, cues: Path) -> None:
    """Keep the cues of a recording for about a day, until the sweep deletes their folder."""
    digest = await asyncio.to_thread(_digest, recording)
    folder = await workspace.create(_name(client, digest))
    await run_uncancelled(link_or_copy, cues, folder.cues)


async def recall_words(workspace: Workspace, client: str, digest: str, *, job_id: str) -> None:
    """Copy a recording's cues to a job's folder, if the recording was made for the same client.

    `digest`: the SHA-256 digest of the recording, in hex.
    """
    folder = workspace.folder(_name(client, digest))
    with suppress(FileNotFoundError):
        await run_uncancelled(link_or_copy, folder.cues, workspace.folder(job_id).cues)


def _name(client: str, digest: str) -> str:
    return hashlib.sha256(f"words\0{client}\0{digest}".encode()).hexdigest()[:32]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""The findings of the doctor."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from bot.commands.doctor import examine
from bot.settings.fields import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from bot.commands.checks.findings import Finding

TOKEN = f"{base64.b64encode(b'123456789012345678').decode()}.Gabcde.{'x' * 38}"


async def look(subject: str, tmp_path: Path, **settings: object) -> Finding:
    """Run all checks, and return the finding about `subject`."""
    nowhere = "http://127.0.0.1:1"
    values = {"discord_token": TOKEN, "discord_api_url": nowhere, "data_dir": tmp_path} | settings
    [found] = [f for f in await examine(load_settings(**values)) if f.subject == subject]
    return found

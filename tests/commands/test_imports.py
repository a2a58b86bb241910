from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each of them costs a tenth of a second of CPU or more.
HEAVY = {"aiohttp", "asyncio", "discord", "httpx2", "openai", "pydantic", "sqlite3", "ssl"}

SDK = {"openai", "httpx2"}

# The modules that a bot without options does not need. At rest, each megabyte counts.
OPTIONAL = {
    "bot.backends.openrouter.models",
    "bot.jobs.leases.heartbeat",
    "bot.speech.narrator",
    "bot.speech.voices",
    "bot.storyboard.drawing.animation",
    "bot.storyboard.lettering.scenes",
    "bot.web.api.access",
    "bot.web.pages.owner",
    "bot.web.site",
    "discord.ext.commands",
    "prometheus_client",
    "storage.ledger.totals",
    "storage.workers.table",
    "PIL",
}


def imported_by(code: str, **variables: str) -> set[str]:
    """Return the modules that a new Python has imported after `code`."""
    listing = "import sys\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(  # noqa: S603 - the code is the test's own
        [sys.executable, "-c", f"{code}\n{listing}"],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_version_and_the_help_import_nothing_heavy(option: str) -> None:
    code = f"import bot.__main__\ntry: bot.__main__.main([{option!r}])\nexcept SystemExit: pass"
    assert imported_by(code) & HEAVY == set()


IMPORT_ALONE = """
import os, sys
import aiohttp, discord, pydantic_settings
from bot.__main__ import all_commands

for entry in all_commands():
    if not os.fork():
        entry.load()
        sys.exit()
    if os.wait()[1]:
        sys.exit(entry.name)
"""


def test_each_command_can_be_imported_before_the_others() -> None:
    imported_by(IMPORT_ALONE)


def test_the_bot_imports_no_module_that_only_options_need() -> None:
    code = (
        "import importlib, bot.commands.run, bot.runtime.roles.service\n"
        "import bot.storyboard.server, bot.storyboard.clip_renderer\n"
        "from bot.discord_bot.bot import COGS\n"
        "for name in COGS: importlib.import_module(name)"
    )
    assert imported_by(code) & OPTIONAL == set()


OPEN_BACKEND = """
import asyncio, contextlib, types
import bot.commands.run
from bot.runtime.adapters import open_backend
from bot.settings.fields import load_settings

async def main():
    async with contextlib.AsyncExitStack() as stack:
        settings = load_settings(with_discord=False)
        await open_backend(types.SimpleNamespace(settings=settings), stack)

asyncio.run(main())
"""


def test_the_bot_imports_the_sdk_at_its_start_and_only_for_openai() -> None:
    assert imported_by("import bot.commands.run, bot.commands.doctor") & SDK == set()
    variables = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "VIDEO_MODEL": "sora-2"}
    assert imported_by(OPEN_BACKEND, VIDEO_BACKEND="openai", **variables) >= SDK

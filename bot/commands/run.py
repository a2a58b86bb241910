"""The command `run`: runs the bot."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from bot import app
from bot.commands.checks.configuration.token_shape import COPY_AGAIN, looks_like_a_token
from bot.commands.checks.configuration.unused_provider import unused_provider
from bot.commands.checks.provider import examine_backend
from bot.errors import DeskLostError
from bot.runtime.log_setup import configure_logs
from bot.runtime.roles.role import Role, check_role
from bot.settings.fields import Settings, load_settings
from bot.settings.spelling import unknown_names

if TYPE_CHECKING:
    import argparse

log = logging.getLogger(__name__)


class Run:
    """Runs the bot until SIGTERM arrives or Ctrl-C is pressed."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the option for the role. The settings decide everything else."""
        parser.add_argument(
            "--role",
            choices=[role.value for role in Role],
            default=Role.ALL.value,
            help="do everything (all, the default), or share the work with other processes: as "
            "the desk, which speaks to Discord, or as a worker",
        )

    def run(self, options: argparse.Namespace) -> int:
        """Check the settings, and run the bot."""
        role = Role(options.role)
        settings = load_settings(with_discord=role is not Role.WORKER)
        check_role(role, settings)
        configure_logs(settings)
        for unknown in unknown_names(os.environ, Settings):
            log.warning("settings.unknown name=%s advice=%r", unknown.name, unknown.advice)
        if role is not Role.WORKER and not looks_like_a_token(
            settings.discord_token.get_secret_value()
        ):
            # This is only a warning, because Discord may change the format of its tokens.
            log.warning("settings.token_shape name=DISCORD_TOKEN advice=%r", COPY_AGAIN)
        if unused := unused_provider(settings):
            log.warning("settings.idle name=%s advice=%r", unused.name, unused.advice)
        try:
            asyncio.run(_run(settings, role))
        except DeskLostError as error:
            log.error("desk.lost error=%r advice='it is started again as a standby'", str(error))  # noqa: TRY400 - expected when the database stops
            return 1
        return 0


async def _run(settings: Settings, role: Role) -> None:
    check = asyncio.create_task(_check_backend(settings), name="backend check")
    try:
        await app.run(settings, role=role)
    finally:
        check.cancel()
        await asyncio.gather(check, return_exceptions=True)


async def _check_backend(settings: Settings) -> None:
    """Log `doctor`'s finding about the provider if the provider can't be used at the moment."""
    try:
        finding = await examine_backend(settings)
    except Exception:  # a bug in the check must not stop the bot
        log.exception("backend.check_failed")
        return
    if not finding.ok:
        log.warning("backend.unusable found=%r advice=%r", finding.found, finding.advice)

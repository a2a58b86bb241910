"""The command line, one file for each command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.commands.demo import Demo
from bot.commands.doctor import Doctor
from bot.commands.generate import Generate
from bot.commands.run import Run
from bot.commands.storyboard import ServeStoryboard

if TYPE_CHECKING:
    import argparse


class Command(Protocol):
    """One word after `python -m bot`."""

    name: str
    summary: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say which options there are."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Do it and return the exit code; StartupError: the operator has to change something."""
        ...


def all_commands() -> tuple[Command, ...]:
    """Return every command, in the order of `--help`."""
    return (Run(), Demo(), Doctor(), Generate(), ServeStoryboard())

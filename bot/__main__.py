"""The command line: `python -m bot COMMAND`."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import Protocol

try:
    from bot import __version__
    from bot.commands.doctor import Doctor
    from bot.commands.generate import Generate
    from bot.commands.run import Run
    from bot.commands.storyboard import ServeStoryboard
    from bot.demo.command import Demo
    from bot.errors import StartupError
except (ImportError, SyntaxError) as error:
    is_supported = sys.version_info >= (3, 11)
    if isinstance(error, ImportError):
        is_bug = (error.name or "").partition(".")[0] in {"bot", "cogs", "storage"}
    else:
        is_bug = is_supported
    # In a virtual environment, a library that is missing means an incomplete installation.
    if is_bug or (sys.prefix != sys.base_prefix and is_supported):
        raise
    typed = shlex.join(sys.argv[1:])
    print(
        f"This Python ({sys.version.split()[0]}) lacks the libraries of Clapper ({error}). "
        "`make .venv/run` installs them into .venv, and `make demo` also shows the bot. "
        f"Then type: .venv/bin/python -m bot {typed}",
        file=sys.stderr,
    )
    sys.exit(2)

# The exit code that shells report for a process ended by Ctrl-C: 128 + SIGINT.
_INTERRUPTED = 130


class Command(Protocol):
    """A command of `python -m bot`."""

    name: str
    summary: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Run and return the exit code; raise StartupError if the operator has to act."""
        ...


def all_commands() -> tuple[Command, ...]:
    """Return every command, in the order of `--help`."""
    return (Run(), Demo(), Doctor(), Generate(), ServeStoryboard())


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code, which is 2 if the operator has to act."""
    available = all_commands()
    parser = argparse.ArgumentParser(prog="python -m bot", description="Clapper, a Discord bot.")
    parser.add_argument("--version", action="version", version=f"Clapper {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in available:
        command.add_arguments(commands.add_parser(command.name, help=command.summary))
    options = parser.parse_args(arguments)
    command = next(command for command in available if command.name == options.command)
    try:
        return command.run(options)
    except StartupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())

"""The command line, `python -m bot COMMAND`."""

from __future__ import annotations

import argparse
import gc
import importlib
import shlex
import sys
from typing import NamedTuple, Protocol, cast

from bot import __version__

# Shells report this exit code for a process that Ctrl-C ended: 128 + SIGINT.
_INTERRUPTED = 130
# Modules stay in use after their import. Frequent garbage collections during imports would find
# nothing.
_IMPORT_THRESHOLDS = (10_000, 5, 1_000)


class Command(Protocol):
    """A command of the command line, such as `run` in `python -m bot run`."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Run the command and return the exit code.

        Raises StartupError if the operator has to change something first.
        """
        ...


class CommandEntry(NamedTuple):
    """A command's name and summary, as shown by `--help`, with its module and class."""

    name: str
    summary: str
    module: str
    type_name: str

    def load(self) -> Command:
        """Import the command and only the modules that it needs."""
        module = importlib.import_module(self.module)
        return cast("Command", getattr(module, self.type_name)())


def all_commands() -> tuple[CommandEntry, ...]:
    """Return all commands, in the order in which `--help` lists them."""
    return (
        CommandEntry(
            "run",
            "run the bot with the settings in the environment and in .env",
            "bot.commands.run",
            "Run",
        ),
        CommandEntry(
            "demo",
            "watch one /video from the command to the MP4; no account needed",
            "bot.demo.command",
            "Demo",
        ),
        CommandEntry(
            "doctor",
            "check settings, services, ffmpeg, disk and network, and advise on problems",
            "bot.commands.doctor",
            "Doctor",
        ),
        CommandEntry(
            "generate",
            "make one video from the command line, without Discord",
            "bot.commands.generate",
            "Generate",
        ),
        CommandEntry(
            "jobs",
            "list the jobs, show one or cancel one, even while the bot runs",
            "bot.commands.jobs",
            "Jobs",
        ),
        CommandEntry(
            "owner",
            "pause orders, block people and servers, even while the bot runs",
            "bot.commands.owner.command",
            "Owner",
        ),
        CommandEntry(
            "move",
            "move everything from DATA_DIR to a PostgreSQL database and a bucket",
            "bot.commands.move",
            "Move",
        ),
        CommandEntry(
            "storyboard",
            "run only the embedded renderer, as a Videos API server",
            "bot.commands.storyboard",
            "ServeStoryboard",
        ),
    )


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code.

    The exit code is 2 if the operator has to change something first.
    """
    words = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m bot", description="Clapper, a Discord bot.")
    parser.add_argument("--version", action="version", version=f"Clapper {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in words if not word.startswith("-")), None)
    command = None
    for entry in all_commands():
        subparser = subparsers.add_parser(entry.name, help=entry.summary)
        if entry.name == chosen:
            command = _load(entry, words)
            command.add_arguments(subparser)
    options = parser.parse_args(words)
    return 2 if command is None else _run(command, options)


def _run(command: Command, options: argparse.Namespace) -> int:
    from bot.errors import StartupError  # noqa: PLC0415 - it needs Python 3.11

    try:
        return command.run(options)
    except StartupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED


def _load(entry: CommandEntry, words: list[str]) -> Command:
    """Import a command.

    If a library that the command needs is not installed, print a message that names the library,
    and exit.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(*_IMPORT_THRESHOLDS)
    try:
        return entry.load()
    except (ImportError, SyntaxError) as error:
        is_supported = sys.version_info >= (3, 11)
        if isinstance(error, ImportError):
            is_bug = (error.name or "").partition(".")[0] in {"bot", "cogs", "storage"}
        else:
            is_bug = is_supported
        # In a virtual environment, a missing library means that the installation is incomplete.
        if is_bug or (sys.prefix != sys.base_prefix and is_supported):
            raise
        print(
            f"This Python ({sys.version.split()[0]}) lacks the libraries of Clapper ({error}). "
            "`make .venv/run` installs them into .venv, and `make demo` also shows the bot. "
            f"Then type: .venv/bin/python -m bot {shlex.join(words)}",
            file=sys.stderr,
        )
        sys.exit(2)
    finally:
        gc.freeze()
        gc.set_threshold(*thresholds)


if __name__ == "__main__":
    sys.exit(main())

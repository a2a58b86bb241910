"""The pages are tested: what they name exists, and what exists is named."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import tomllib
from collections import Counter
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_args

import discord
import pytest
from discord import app_commands

import cogs
from bot import __version__
from bot.__main__ import all_commands
from bot.delivery.views.button_ids import LABELS
from bot.discord_bot.interactions.forms import Forms
from bot.model import TRANSITIONS, JobState
from bot.moderation.access.place import Reach
from bot.settings.fields import Settings
from bot.texts import Texts
from bot.web.api.authentication import COOKIE
from bot.web.prometheus import PrometheusMetrics
from tests.support.old_install.names import purposes
from tests.support.papers import (
    ROOT,
    anchors,
    block,
    links,
    pages,
    prose,
    read,
    table,
    tables,
    tracked_files,
    unquoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = {name.upper(): field for name, field in Settings.model_fields.items()}
# Written by scripts, which have tests of their own.
GENERATED = {
    "docs/benchmarks.md",
    "docs/benchmarks-media.md",
    "docs/cards.md",
    "docs/media-corpus.md",
    "docs/prompts.md",
    "docs/storyboard.md",
}
PAGES = pages()
WRITTEN = [page for page in PAGES if page not in GENERATED]
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))

README = read("README.md")
ARCHITECTURE = read("ARCHITECTURE.md")
BACKENDS = read("docs/backends.md")
COMMANDS = read("docs/commands.md")
CONFIGURATION = read("docs/configuration.md")
CONTRIBUTING = read("CONTRIBUTING.md")
PYPROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))


# --- settings ---


def test_the_page_on_configuration_has_every_setting_once_with_its_default() -> None:
    rows = [row for found in tables(CONFIGURATION, "Name") for row in found]
    assert Counter(unquoted(row[0]) for row in rows) == Counter(FIELDS.keys())
    for name, default, _ in rows:
        check_default(unquoted(name), unquoted(default))


def test_every_secret_is_marked_on_the_page() -> None:
    rows = [row for found in tables(CONFIGURATION, "Name") for row in found]
    marked = {unquoted(row[0]) for row in rows if row[2].endswith("A secret.")}
    assert marked == {name for name, field in FIELDS.items() if "Secret" in repr(field.default)}


def test_the_template_has_every_setting_with_its_default_and_a_line_on_it() -> None:
    lines = read(".env.example").splitlines()
    found = {
        match[1]: (match[2], number)
        for number, line in enumerate(lines)
        if (match := re.fullmatch(r"#?([A-Z_]+)=(.*)", line))
    }
    assert found.keys() == FIELDS.keys()
    for name, (default, number) in found.items():
        check_default(name, default)
        before = [line for line in lines[:number] if not re.match(r"#?[A-Z_]+=", line)]
        assert re.match(r"# [A-Za-z]", before[-1]), f"{name} has no line of its own"


def check_default(name: str, written: str) -> None:
    default = FIELDS[name].default
    value = None if default is None and not written else type(default)(written)
    assert value == default, f"{name}: the pages say {written!r}"


def test_every_setting_that_a_page_names_exists() -> None:
    prefixes = "|".join(sorted({name.partition("_")[0] for name in FIELDS}))
    for page in WRITTEN:
        named = set(re.findall(rf"`((?:{prefixes})_[A-Z_]+)(?:=[^`]*)?`", prose(read(page))))
        assert named <= FIELDS.keys(), page


@pytest.mark.parametrize("page", ["README.md", "docs/backends.md"])
def test_the_backends_are_those_of_the_setting(page: str) -> None:
    named = {unquoted(row[0]) for row in table(read(page), "`VIDEO_BACKEND`")}
    assert named == set(get_args(FIELDS["VIDEO_BACKEND"].annotation))


def test_the_voices_are_those_of_the_setting() -> None:
    named = {unquoted(row[0]) for row in table(BACKENDS, "`NARRATION_BACKEND`")}
    assert named == set(get_args(FIELDS["NARRATION_BACKEND"].annotation))


def test_the_metrics_are_those_that_are_counted() -> None:
    kinds = re.findall(r"(?m)^# TYPE (clapper_\w+) ", PrometheusMetrics().expose({}).decode())
    written = {unquoted(row[0]) for row in table(read("docs/operating.md"), "Metric")}
    assert written == {name for name in kinds if not name.endswith("_created")}


# --- commands ---


async def slash_commands() -> dict[str, app_commands.Command[Any, ..., Any]]:
    """Return the commands by their names, after those of their groups."""
    server = discord.Object(1)
    async with discord.Client(intents=discord.Intents.none()) as client:
        tree = app_commands.CommandTree(client)
        services = SimpleNamespace(
            gate=SimpleNamespace(reach=Reach()),
            narrator=object(),
            owners=SimpleNamespace(servers={server.id}),
        )
        bot = SimpleNamespace(
            add_dynamic_items=client.add_dynamic_items, forms=Forms(), services=services, tree=tree
        )
        for found in pkgutil.walk_packages(cogs.__path__, "cogs."):
            module = importlib.import_module(found.name)
            if hasattr(module, "setup"):
                module.setup(bot)
        found = (*tree.walk_commands(), *tree.walk_commands(guild=server))
    return {each.qualified_name: each for each in found if isinstance(each, app_commands.Command)}


async def test_the_slash_commands_are_those_of_the_cogs() -> None:
    for_people, for_owners, _ = tables(COMMANDS, "Command")
    written = {row[0]: row[1] for row in (*for_people, *for_owners)}
    assert written == {
        f"`/{name}`": ", ".join(
            f"`{option.name}`" + (" (required)" if option.required else "")
            for option in command.parameters
        )
        for name, command in (await slash_commands()).items()
    }


def buttons(cells: list[str]) -> list[str]:
    return [name for cell in cells for name in re.findall(r"\*([^*]+)\*", cell)]


def labels() -> set[str]:
    texts = Texts.load()
    return {texts(key) for key in {*LABELS.values(), "button.try_again"}}


def test_the_buttons_are_those_of_the_cards() -> None:
    written = buttons([row[0] for row in table(COMMANDS, "Button")])
    assert sorted(written) == sorted(labels())


async def test_the_readme_has_every_slash_command_and_only_buttons_that_there_are() -> None:
    cells = [row[0] for row in table(README, "Command or button")]
    written = {cell for cell in cells if cell.startswith("`/")}
    assert written == {f"`/{name.partition(' ')[0]}`" for name in await slash_commands()}
    assert set(buttons(cells)) <= labels()


def test_the_commands_are_those_of_the_command_line() -> None:
    *_, in_a_terminal = tables(COMMANDS, "Command")
    written = {unquoted(row[0]): set(re.findall(r"--[a-z-]+", row[1])) for row in in_a_terminal}
    assert written == {entry.name: options_of(entry.load()) for entry in all_commands()}


def options_of(command: Any) -> set[str]:
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    found = re.findall(r"(?m)^  (?:-\w(?: \w+)?, )?(--[a-z-]+)", "".join(helps_of(parser)))
    return set(found) - {"--help"}


def helps_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the help of a command, and that of each of its actions."""
    yield parser.format_help()
    for action in parser._actions:  # noqa: SLF001 - argparse has no other list of them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - it has no other name
            for each in action.choices.values():
                yield each.format_help()


def test_the_make_targets_are_those_of_the_makefile() -> None:
    (phony,) = re.findall(r"(?m)^\.PHONY: (.+)$", read("Makefile"))
    written = {unquoted(row[0]).removeprefix("make ") for row in table(COMMANDS, "Target")}
    assert written == set(phony.split())


def test_every_make_command_on_a_page_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", read("Makefile")))
    for page in (*PAGES, ".ci/run", ".github/ISSUE_TEMPLATE/bug.yml"):
        mentioned = set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)", read(page)))
        assert mentioned <= targets, page


# --- versions ---


def test_the_version_is_that_of_the_package_and_of_the_last_release() -> None:
    assert PYPROJECT["project"]["version"] == __version__
    (last, *_) = re.findall(r"(?m)^## ([0-9.]+) - ", read("CHANGELOG.md"))
    assert last == __version__


def test_the_changelog_has_versions_with_dates_the_newest_first() -> None:
    headings = re.findall(r"(?m)^## (.+)$", read("CHANGELOG.md"))
    releases = [heading.split(" - ") for heading in headings if heading != "Unreleased"]
    numbers = [tuple(map(int, version.split("."))) for version, _ in releases]
    dates = [date.fromisoformat(day) for _, day in releases]
    assert numbers == sorted({*numbers}, reverse=True)
    assert dates == sorted(dates, reverse=True)
    assert "Unreleased" not in headings[1:]


# --- the architecture ---


def test_the_diagram_shows_the_transitions() -> None:
    drawn: set[tuple[str, str]] = set()
    inner: set[str] = set()
    for line in block(ARCHITECTURE, "## The states", "```mermaid"):
        if match := re.match(r"( +)(\w+|\[\*\]) --> (\w+|\[\*\])", line):
            drawn.add((match[2], match[3]))
            if len(match[1]) > 4:
                inner |= {match[2], match[3]}
    inner.discard("[*]")
    every = {(state, after) for state in inner for before, after in drawn if before == "open"}
    edges = {(before, after) for before, after in drawn if before != "open"} | every
    assert edges == (
        {(before, after) for before, afters in TRANSITIONS.items() for after in afters}
        | {("[*]", "received")}
        | {(state, "[*]") for state in JobState if state.is_final}
    )


def at_the_top(package: str) -> set[str]:
    """Return the modules and folders of a package, folders with a slash at the end."""
    inside = (path.removeprefix(package) for path in tracked_files() if path.startswith(package))
    parts = (path.partition("/") for path in inside)
    return {package + name + slash for name, slash, _ in parts} - {f"{package}__init__.py"}


def test_every_room_is_described() -> None:
    folders = {path.partition("/")[0] + "/" for path in tracked_files() if "/" in path}
    rooms = {path for path in at_the_top("bot/") if path.endswith("/")}
    written = [unquoted(row[0]) for row in table(ARCHITECTURE, "Room")]
    assert sorted(written) == sorted((folders | rooms) - {"bot/", ".ci/", ".github/"})


def test_every_room_of_the_bot_is_in_a_layer() -> None:
    placed = {name for layer in layers() for name in layer.split(" | ")}
    named = {
        path.removesuffix("/").removesuffix(".py").replace("/", ".")
        for path in at_the_top("bot/")
        if path != "bot/locales/"
    }
    assert placed == named | {"cogs", "storage"}


def layers() -> list[str]:
    (found,) = (
        contract["layers"]
        for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    return found


@pytest.mark.parametrize(
    ("use", "homes"),
    [
        (
            r"\baiohttp import web\b|\baiohttp\.web\b",
            ("bot/web/", "bot/storyboard/", "bot/demo/fake_discord/"),
        ),
        (r"\bcreate_subprocess_|\bos\.(?:system|popen|fork|spawn|exec)", ("bot/media/",)),
        (r"\bsqlite3\b", ("storage/",)),
    ],
)
def test_a_library_is_used_at_home(use: str, homes: tuple[str, ...]) -> None:
    """import-linter holds the other libraries; of these it can't see which part is used."""
    users = {
        path
        for path in tracked_files()
        if path.startswith(("bot/", "cogs/", "storage/"))
        and path.endswith(".py")
        and re.search(use, read(path))
    }
    assert users
    assert {path for path in users if not path.startswith(homes)} == set()


def test_no_room_is_crowded() -> None:
    """A room has at most 15 modules, the top of the bot 12 modules and 16 packages."""
    top = at_the_top("bot/") - {"bot/locales/"}
    assert sum(path.endswith("/") for path in top) <= 16
    assert sum(path.endswith(".py") for path in top) <= 12
    rooms = Counter(
        path.rpartition("/")[0]
        for path in tracked_files()
        if path.startswith(("bot/", "cogs/", "storage/")) and path.endswith(".py")
    )
    assert {room: count for room, count in rooms.items() if count > 15} == {}


def test_no_module_is_long() -> None:
    """A module of the software has at most 300 lines."""
    lines = {
        path: len(read(path).splitlines())
        for path in tracked_files()
        if path.startswith(("bot/", "cogs/", "storage/")) and path.endswith(".py")
    }
    assert {path: count for path, count in lines.items() if count > 300} == {}


def test_the_layers_are_those_that_are_held() -> None:
    assert block(ARCHITECTURE, "## The layers") == layers()
    assert len(layers()) <= 15


def test_every_dependency_has_its_reason_and_its_licence() -> None:
    names = {re.split(r"[<>=; ]", entry)[0] for entry in PYPROJECT["project"]["dependencies"]}
    rows = table(read("docs/licences.md"), "Package")
    assert {unquoted(row[0]) for row in rows} == names
    assert all(all(cell for cell in row) for row in rows)


# --- contributing ---


def test_the_names_that_stay_are_named() -> None:
    _, _, text = CONTRIBUTING.partition("## What is stored keeps its name")
    section = text.partition("\n## ")[0]
    folders = {"videos/", "narrations/", "fitted/", "squeezed/", "work/", "storyboard/"}
    for name in (*purposes(), COOKIE, *folders, "counting", "open", "over", "clapper.db"):
        assert f"`{name}`" in section, name


def test_every_path_that_a_page_names_exists() -> None:
    roots = r"(?:bot|cogs|storage|tests|docs|benchmarks|typings|\.github|\.ci)"
    for page in WRITTEN:
        for path in re.findall(rf"`({roots}/[\w./-]*)`", prose(read(page))):
            assert (ROOT / path).exists(), f"{page}: {path}"


# --- pages ---


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    here = (ROOT / page).parent
    for target in links(read(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (here / path).resolve() if path else ROOT / page
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, to_read = set[str](), ["README.md"]
    while to_read:
        page = to_read.pop()
        reached.add(page)
        for target in links(read(page)):
            path = target.partition("#")[0]
            if path.endswith(".md") and not re.match(r"[a-z]+:", path):
                found = str(((ROOT / page).parent / path).resolve().relative_to(ROOT))
                to_read += [] if found in reached else [found]
    apart = {page for page in PAGES if page.startswith(("tests/", ".github/"))}
    assert set(PAGES) - apart == reached


@pytest.mark.parametrize(
    ("page", "lines", "words"),
    [("README.md", 120, 1200), ("ARCHITECTURE.md", 150, 1200), ("CONTRIBUTING.md", 90, 1200)],
)
def test_a_page_for_newcomers_is_short(page: str, lines: int, words: int) -> None:
    text = read(page)
    assert len(text.splitlines()) <= lines
    assert len(text.split()) < words


def test_every_decision_is_listed_in_order() -> None:
    rows = table(read("docs/decisions/README.md"), "Number")
    for number, (path, row) in enumerate(zip(DECISIONS, rows, strict=True), start=1):
        text = path.read_text(encoding="utf-8")
        (title,) = re.findall(r"(?m)^# (.+)$", text)
        assert path.name.startswith(f"{number:04}-")
        assert row == [str(number), f"[{title.removeprefix(f'{number}. ')}]({path.name})"]
        assert title.startswith(f"{number}. ")


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_a_date_and_three_short_parts(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(r"(?m)^Decided \d{4}-\d\d-\d\d(?:, \d{4}-\d\d-\d\d)*\.$", text)
    headings = re.findall(r"(?m)^## (.+)$", text)
    assert headings == ["Context", "Decision", "Consequence"]
    assert len(text.splitlines()) <= 30


@pytest.mark.parametrize("page", WRITTEN)
def test_a_page_names_the_role_and_not_somebody(page: str) -> None:
    nameless = r"(?i)\b(?:whoever|nobody|somebody|anybody|everybody)\b"
    assert re.search(nameless, read(page)) is None

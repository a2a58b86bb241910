"""The pages are tested: what they name exists, and what exists is named."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import pkgutil
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from discord.ext import commands
from PIL import Image

import cogs
from bot import __version__
from bot.__main__ import all_commands
from bot.api_clients.status import PublicStatus
from bot.errors import ErrorKind
from bot.model import TRANSITIONS, JobState, Trouble
from bot.settings.fields import Settings
from bot.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from discord import app_commands

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/backends.md")
FIELDS = {name.upper(): field for name, field in Settings.model_fields.items()}
PICTURE_BYTES = 300_000

# A state whose step shows the video, or shows nothing, has no sentence of its own.
SHOWN_STATES = frozenset(JobState) - {JobState.NOTIFYING, JobState.SUCCEEDED}
# What stands behind the dot where the code puts a key together.
PUT_TOGETHER = {
    "state": SHOWN_STATES,
    "failed": frozenset(ErrorKind),
    # What bot/media/narration/sniff.py says in words.
    "found": {"text", "data", "mp4 or m4a", "webm or matroska"},
    "trouble": frozenset(Trouble),
    "operator": frozenset(Trouble) | {"over"},
}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


README = read("README.md")
ARCHITECTURE = read("ARCHITECTURE.md")
PYPROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))


def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table under a head that begins with `heading`, without code marks."""
    lines = iter(page.splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            break
    else:
        pytest.fail(f"no table begins with {heading}")
    rows: list[list[str]] = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def tables(page: str, heading: str) -> list[list[list[str]]]:
    """Return every table whose first column has this head."""
    parts = re.split(rf"(?m)^(?=\| {re.escape(heading)} \|)", page)[1:]
    return [table(part, heading) for part in parts]


def block(page: str, after: str, fence: str = "```") -> list[str]:
    """Return the lines of the first block of code that follows `after`."""
    _, _, rest = page.partition(after)
    return rest.partition(f"\n{fence}\n")[2].partition("\n```")[0].splitlines()


def unquoted(cell: str) -> str:
    return cell.replace("`", "")


# --- settings ---


def test_the_readme_has_every_setting_with_its_default() -> None:
    rows = {unquoted(row[0]): unquoted(row[1]) for row in table(README, "Name")}
    assert rows.keys() == FIELDS.keys()
    for name, default in rows.items():
        check_default(name, default)


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
    assert type(default)(written) == default, f"{name}: the pages say {written!r}"


def test_the_backends_are_those_of_the_setting() -> None:
    named = {unquoted(row[0]) for row in table(README, "`VIDEO_BACKEND`")}
    assert named == set(get_args(FIELDS["VIDEO_BACKEND"].annotation))


def test_the_voices_are_those_of_the_setting() -> None:
    named = {unquoted(row[0]) for row in table(README, "`NARRATION_BACKEND`")}
    assert named == set(get_args(FIELDS["NARRATION_BACKEND"].annotation))


# --- commands ---


def slash_commands() -> Iterator[app_commands.Command[Any, ..., Any]]:
    for found in pkgutil.iter_modules(cogs.__path__):
        module = importlib.import_module(f"cogs.{found.name}")
        for _, cog in inspect.getmembers(module, inspect.isclass):
            if issubclass(cog, commands.Cog) and cog.__module__ == module.__name__:
                yield from cog.__cog_app_commands__


def test_the_slash_commands_are_those_of_the_cogs() -> None:
    in_discord, _ = tables(README, "Command")[1:]
    written = {row[0]: row[1] for row in in_discord}
    assert written == {
        f"`/{command.name}`": ", ".join(
            f"`{option.name}`" + (" (required)" if option.required else "")
            for option in command.parameters
        )
        for command in slash_commands()
    }


def test_the_commands_are_those_of_the_command_line() -> None:
    _, in_a_terminal = tables(README, "Command")[1:]
    written = {unquoted(row[0]): set(re.findall(r"--[a-z-]+", row[1])) for row in in_a_terminal}
    assert written == {command.name: options_of(command) for command in all_commands()}


def options_of(command: Any) -> set[str]:
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    return set(re.findall(r"(?m)^  (?:-\w(?: \w+)?, )?(--[a-z-]+)", parser.format_help()))


def test_the_version_is_that_of_the_package_and_of_the_last_release() -> None:
    assert PYPROJECT["project"]["version"] == __version__
    (last, *_) = re.findall(r"(?m)^## ([0-9.]+) - ", read("CHANGELOG.md"))
    assert last == __version__


def test_the_make_targets_are_those_of_the_makefile() -> None:
    (phony,) = re.findall(r"(?m)^\.PHONY: (.+)$", read("Makefile"))
    written = {unquoted(row[0]).removeprefix("make ") for row in table(README, "Target")}
    assert written == set(phony.split())


def test_every_make_command_on_a_page_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", read("Makefile")))
    for page in (*PAGES, "docs/benchmarks.md", ".ci/run"):
        mentioned = set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)", read(page)))
        assert mentioned <= targets, page


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


def tree() -> set[str]:
    named: set[str] = set()
    folder = ""
    for line in block(ARCHITECTURE, "## The tree"):
        path = line.split()[0]
        if not line.startswith(" "):
            folder = path
            named.add(path)
        else:
            named.add(folder + path)
    return named


def test_the_tree_names_what_is_there() -> None:
    assert all((ROOT / path).exists() for path in tree())
    assert all((ROOT / path).is_dir() == path.endswith("/") for path in tree())


def at_the_top(package: str) -> set[str]:
    """Return the modules and folders of a package, as the tree writes them."""
    inside = (path.removeprefix(package) for path in tracked_files() if path.startswith(package))
    parts = (path.partition("/") for path in inside)
    return {package + name + slash for name, slash, _ in parts} - {f"{package}__init__.py"}


def test_the_tree_names_every_room() -> None:
    folders = {path.partition("/")[0] + "/" for path in tracked_files() if "/" in path}
    rooms = {path for path in at_the_top("storage/") if path.endswith("/")}
    assert (at_the_top("bot/") | folders | rooms) - tree() == {".ci/"}


def test_every_room_of_the_bot_stands_on_a_rung() -> None:
    rungs = {name for rung in layers() for name in rung.split(" | ")}
    named = {
        path.removesuffix("/").removesuffix(".py").replace("/", ".")
        for path in at_the_top("bot/")
        if path != "bot/locales/"
    }
    assert rungs == named | {"cogs", "storage"}


def layers() -> list[str]:
    (found,) = (
        contract["layers"]
        for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    return found


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


def test_the_ladder_is_the_one_that_is_held() -> None:
    assert block(ARCHITECTURE, "## The ladder") == layers()
    assert len(layers()) <= 15


def test_every_dependency_has_its_reason() -> None:
    names = {re.split(r"[<>=; ]", entry)[0] for entry in PYPROJECT["project"]["dependencies"]}
    assert {unquoted(row[0]) for row in table(ARCHITECTURE, "Package")} == names


# --- files ---


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = read(page)
    anchors = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"(?m)^#+ (.+)$", text)
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("https://"):
            assert (ROOT / target).is_file(), target


@pytest.mark.parametrize(
    "name", ["card.png", "page.png", "page-light.png", "page-dark.png", "page-phone.png"]
)
def test_a_picture_is_small_enough_for_a_readme(name: str) -> None:
    path = ROOT / "docs" / name
    with Image.open(path) as picture:
        assert picture.format == "PNG"
    assert path.stat().st_size < PICTURE_BYTES


def instructions(name: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile with their arguments, continued lines joined."""
    lines = re.sub(r"\\\n\s*", "", read("Dockerfile")).splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return [(word, rest) for word, rest in pairs if name in ("", word)]


def test_the_image_is_made_of_files_that_it_is_given() -> None:
    allowed = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    sources = {
        source
        for _, rest in instructions("COPY")
        if not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert sources == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_is_not_root_and_keeps_one_volume() -> None:
    words = [word for word, _ in instructions("")]
    assert words.count("FROM") == 2
    assert [rest for _, rest in instructions("USER")] == ["clapper"]
    assert words.index("USER") > len(words) - 1 - words[::-1].index("FROM")
    assert [rest for _, rest in instructions("VOLUME")] == ["/data"]


def test_the_image_starts_python_itself_so_that_signals_reach_it() -> None:
    ((_, entry),) = instructions("ENTRYPOINT")
    ((_, default),) = instructions("CMD")
    assert json.loads(entry) == ["python", "-m", "bot"]
    assert json.loads(default)[0] in {command.name for command in all_commands()}
    ((_, check),) = instructions("HEALTHCHECK")
    _, _, command = check.partition("CMD ")
    compile(json.loads(command)[2], "HEALTHCHECK", "exec")


def test_the_image_sets_only_settings_that_there_are() -> None:
    ((_, variables),) = instructions("ENV")
    names = {pair.partition("=")[0] for pair in variables.split()}
    ours = {name for name in names if not name.startswith(("PYTHON", "PATH"))}
    assert ours == {"DATA_DIR", "HTTP_HOST", "HTTP_PORT"}
    assert ours <= FIELDS.keys()


def tracked_files() -> list[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("what is in git is only known in a checkout")
    listed = subprocess.run(  # noqa: S603 - constant arguments
        [git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).exists()]


def test_no_file_names_a_folder_of_somebodys_machine_or_where_packages_came_from() -> None:
    machine = re.compile(r"(?<![\w.}>/])/(?:root|work|home|opt|Users|mnt)/\w")
    index = re.compile(r"(?m)^\s*(?:-i|--index-url|--extra-index-url|--find-links|-f)\s")
    host = re.compile(r"(?i)https?://[^\s\"'`]*(?:pypi|pythonhosted|/simple\b)")
    for path in tracked_files():
        text = (ROOT / path).read_bytes().decode(errors="ignore")
        for pattern in (machine, index, host):
            hit = pattern.search(text)
            assert hit is None, f"{path}: {hit.group()!r}"


# --- sentences ---


def keys_in_code() -> set[str]:
    sections = {key.partition(".")[0] for key in Texts.load().keys()}  # noqa: SIM118 - a method
    sections.remove("command")  # these keys follow from the definitions: see test_translation.py
    found: set[str] = set()
    for package in ("bot", "cogs", "storage"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                found |= keys_of(node, sections)
    return found


def keys_in_pages() -> set[str]:
    """Find what the browser is told to ask for, in quotation marks or to be filled in."""
    folder = ROOT / "bot/web/pages/static"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    sections = "page|share|prompt|audio"
    found = set(re.findall(rf'(?:\{{\{{|")((?:{sections})\.[a-z_]+)(?:\}}\}}|")', text))
    return found | {f"page.{status}" for status in PublicStatus}


def keys_of(node: ast.AST, sections: set[str]) -> set[str]:
    match node:
        case ast.Constant(value=str(text)):
            shaped = re.fullmatch(r"([a-z]+)\.[a-z_]+", text)
            return {text} if shaped and shaped[1] in sections else set()
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), ast.FormattedValue()]):
            section = text.removesuffix(".")
            if section == text or section not in sections:
                return set()
            return {f"{section}.{ending}" for ending in PUT_TOGETHER[section]}
        case _:
            return set()


def test_every_sentence_that_the_code_asks_for_exists_and_none_is_left_over() -> None:
    keys = Texts.load().keys()
    used = keys_in_code() | keys_in_pages()
    assert used == {key for key in keys if not key.startswith("command.")}

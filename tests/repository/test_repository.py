"""The repository as a whole: its image, its checks, its files, and the sentences that are used."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from typing import Any, get_args

import pytest
from PIL import Image
from ruamel.yaml import YAML

from bot.__main__ import all_commands
from bot.api_clients.status import PublicStatus
from bot.delivery.views.made_with import MadeWith
from bot.errors import ErrorKind, Trouble
from bot.model import HoldReason, JobState
from bot.settings.fields import Settings
from bot.texts import Texts
from storage.access.settings import Setting
from tests.support.papers import ROOT, read, tracked_files

FIELDS = {name.upper() for name in Settings.model_fields}
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
    "hold": frozenset(HoldReason),
    # The names and values in the history of `/clapper`.
    "audit": frozenset(Setting) | {"removal", "grant"},
    "word": frozenset({"allow", "deny", "on", "always", "never", "en", "de", "ja"}),
    "made": frozenset(MadeWith),
    "origin": frozenset(MadeWith),
    # The limits that `/usage` tells.
    "usage": {"user", "user_day", "member_day", "server_day", "home_day", "dm_day", "day"},
    "operator": frozenset(Trouble)
    | {"over"}
    | frozenset(HoldReason)
    | {f"{hold}_over" for hold in HoldReason},
}


# --- the image ---


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
    assert json.loads(default)[0] in {entry.name for entry in all_commands()}
    ((_, check),) = instructions("HEALTHCHECK")
    _, _, command = check.partition("CMD ")
    compile(json.loads(command)[2], "HEALTHCHECK", "exec")


def test_the_image_sets_only_settings_that_there_are() -> None:
    ((_, variables),) = instructions("ENV")
    names = {pair.partition("=")[0] for pair in variables.split()}
    ours = {name for name in names if not name.startswith(("PYTHON", "PATH"))}
    assert ours == {"DATA_DIR", "HTTP_HOST", "HTTP_PORT"}
    assert ours <= FIELDS


# --- checks ---


def test_github_runs_what_a_change_must_pass_from_the_oldest_python_on() -> None:
    workflow: dict[str, Any] = YAML(typ="safe").load(read(".github/workflows/ci.yml"))
    job = workflow["jobs"]["check"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    oldest = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"].lstrip(">=")
    assert job["strategy"]["matrix"]["python"][0] == oldest


def test_every_file_for_github_is_held_to_its_schema() -> None:
    checked = " ".join(re.findall(r"--builtin-schema (.+)", read("Makefile")))
    files = [path for path in tracked_files() if path.startswith(".github/")]
    assert {path for path in files if path.endswith(".yml")} == set(
        re.findall(r"\.github/\S+", checked)
    )


def test_the_form_for_bugs_offers_every_backend() -> None:
    form: dict[str, Any] = YAML(typ="safe").load(read(".github/ISSUE_TEMPLATE/bug.yml"))
    [field] = [each for each in form["body"] if each.get("id") == "backend"]
    choices = get_args(Settings.model_fields["video_backend"].annotation)
    assert field["attributes"]["options"] == [*choices]


def test_the_hooks_run_what_is_installed_and_download_nothing() -> None:
    config: dict[str, Any] = YAML(typ="safe").load(read(".pre-commit-config.yaml"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    makefile = read("Makefile")
    for hook in hooks:
        program, command, *_ = hook["entry"].split()
        assert program == ".venv/bin/ruff"
        assert f"$(BIN)/ruff {command}" in makefile


# --- files ---


@pytest.mark.parametrize(
    "name", ["card.png", "page.png", "page-light.png", "page-dark.png", "page-phone.png"]
)
def test_a_picture_is_small_enough_for_a_readme(name: str) -> None:
    path = ROOT / "docs" / name
    with Image.open(path) as picture:
        assert picture.format == "PNG"
    assert path.stat().st_size < PICTURE_BYTES


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
    sections = "page|share|spending|prompt|audio"
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

"""Our schemas allow nothing that the documents of Discord and OpenAI forbid.

It is left out where these documents are absent: tests/conftest.py.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.schemas import published
from tests.support.schemas.comparison import Schema, differences
from tests.support.schemas.discord_spec import ROUTES, as_strings, check_all
from tests.support.schemas.json_schemas import FOLDER, load, pointer, registry, validator
from tests.support.schemas.openai_spec import FILE
from tests.support.schemas.published import DISCORD, OPENAI
from tests.support.schemas.samples import BAD, GOOD, UNWRITTEN
from tests.support.wire import open_wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.schemas.samples import Sample

NAMES = {ROUTES: DISCORD, FILE: OPENAI}
LACK = ": there is no such field there"
# discord.py sends or reads these, and Discord ignores or sends them, but its document lacks them.
UNWRITTEN_FIELDS = {
    *("attachments[].content_type", "attachments[].proxy_url", "attachments[].size"),
    *("attachments[].spoiler", "attachments[].url", "tts", "[].nsfw"),
    *("[].options[].file_types", "[].options[].options[].file_types"),
    *("options[].options[].file_types", "components[].component.file_types"),
    *("components[].components[].required", "components[].components[].components[].required"),
    *("components[].items[].media.loading_state", "components[].file.loading_state"),
    *(
        "components[].components[].items[].media.loading_state",
        "components[].components[].file.loading_state",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route of ours; `file`: where it is written."""

    file: str
    path: str
    method: str

    @property
    def ours(self) -> Any:
        return load(self.file)["routes"][self.path][self.method]

    @property
    def place(self) -> tuple[str, ...]:
        return ("paths", self.path, self.method)

    @property
    def theirs(self) -> Any:
        path = published.document(NAMES[self.file])["paths"][self.path]
        return {"parameters": []} | path[self.method] | {"shared": path.get("parameters", [])}

    @property
    def body(self) -> str:
        return f"{self.file}#{pointer('routes', self.path, self.method, 'body')}"

    def form(self, form: str) -> tuple[str, ...]:
        return (*self.place, "requestBody", "content", form, "schema")

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


EACH = [
    Route(file=file, path=path, method=method)
    for file in NAMES
    for path, methods in load(file)["routes"].items()
    for method in methods
]
each_route = pytest.mark.parametrize("route", EACH, ids=str)
each_with_a_body = pytest.mark.parametrize(
    "route", [route for route in EACH if "body" in route.ours], ids=str
)


def our(file: str, content: object) -> Schema:
    return Schema(content, registry().resolver((FOLDER / file).as_uri()))


def compare(ours: Schema, theirs: Schema) -> set[str]:
    """Return what ours allow and theirs do not, without the fields that theirs lack."""
    return found(ours, theirs) - {f"{field}{LACK}" for field in UNWRITTEN_FIELDS}


def found(ours: Schema, theirs: Schema) -> set[str]:
    """Return the differences; a callback's message is compared as any other message."""
    paths = (difference.removeprefix(".") for difference in differences([ours], [theirs], ""))
    return {path.removeprefix("data.") for path in paths}


def route_of(sample: Sample) -> Route:
    path, method = sample.route
    return Route(file=FILE if path.startswith("/videos") else ROUTES, path=path, method=method)


def they_allow(route: Route, body: object) -> bool:
    forms = route.ours["forms"]
    return all(published.allows(NAMES[route.file], route.form(form), body) for form in forms)


@each_route
def test_each_route_is_published_with_its_parameters(route: Route) -> None:
    theirs = {p["name"]: p for p in (*route.theirs["shared"], *route.theirs["parameters"])}
    named = re.findall(r"\{(\w+)\}", route.path)
    assert named == [name for name in theirs if theirs[name]["in"] == "path"]
    for name in (*named, *route.ours.get("query", ())):
        ours = load(route.file)["parameters"][name]
        there = published.schema(NAMES[route.file]).of(theirs[name]["schema"])
        assert compare(our(route.file, ours), there) == set()


@each_route
def test_each_status_is_published(route: Route) -> None:
    for status in route.ours["answers"]:
        assert status in route.theirs["responses"]


@pytest.mark.parametrize("route", [route for route in EACH if route.file == FILE], ids=str)
def test_each_answer_with_a_schema_is_as_strict(route: Route) -> None:
    assert route.ours["answers"]
    for status, kinds in route.ours["answers"].items():
        for kind, ours in kinds.items():
            place = (*route.place, "responses", status, "content", kind, "schema")
            assert compare(our(route.file, ours), published.schema(OPENAI, *place)) == set()


@each_route
def test_each_body_is_as_strict_in_each_of_its_forms(route: Route) -> None:
    assert ("body" in route.ours) is ("requestBody" in route.theirs)
    for form in route.ours.get("forms", ()):
        theirs = published.schema(NAMES[route.file], *route.form(form))
        assert compare(our(route.file, route.ours["body"]), theirs) == set()


def test_a_message_that_the_stand_in_answers_with_is_as_strict() -> None:
    assert compare(*messages()) == set()


def messages() -> tuple[Schema, Schema]:
    ours = load("discord/answers.json")["$defs"]["Message"]
    theirs = published.schema(DISCORD, "components", "schemas", "MessageResponse")
    return our("discord/answers.json", ours), theirs


def test_no_more_fields_are_expected_to_be_unpublished_than_are() -> None:
    differing = found(*messages())
    for route in EACH:
        for form in route.ours.get("forms", ()):
            theirs = published.schema(NAMES[route.file], *route.form(form))
            differing |= found(our(route.file, route.ours["body"]), theirs)
    assert differing == {f"{field}{LACK}" for field in UNWRITTEN_FIELDS}


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.name)
def test_what_is_allowed_here_is_allowed_there(sample: Sample) -> None:
    assert they_allow(route_of(sample), sample.body)


@pytest.mark.parametrize("sample", [*BAD, *UNWRITTEN], ids=lambda sample: sample.name)
def test_what_is_refused_here_is_refused_there_unless_it_is_unwritten(sample: Sample) -> None:
    assert they_allow(route_of(sample), sample.body) is sample.ours


def changes(body: Any) -> Iterator[Any]:
    """Yield what may become of a body: each part of it too long, of another type, or absent."""
    if isinstance(body, dict):
        for name in body:
            yield {key: value for key, value in body.items() if key != name}
            yield from ({**body, name: value} for value in changes(body[name]))
    elif isinstance(body, list):
        yield from ([], body * 150)
        for index, part in enumerate(body[:2]):
            yield from ([*body[:index], value, *body[index + 1 :]] for value in changes(part))
    yield from ("", "x" * 101, "x" * 40_000, "§", -1, 3, 30, 1 << 60, 0.5, None, True, [], {})


@each_with_a_body
def test_no_change_of_a_sample_is_allowed_here_and_refused_there(route: Route) -> None:
    ours = validator(route.body)
    samples = [sample.body for sample in GOOD if route_of(sample) == route]
    assert samples
    allowed = [
        change
        for body in samples
        for change in changes(copy.deepcopy(body))
        if ours.is_valid(change)
    ]
    assert [change for change in allowed if not they_allow(route, change)] == []


async def test_what_the_bot_sends_is_allowed_there(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire:
        async with wire.bot():
            fake_discord = wire.fake_discord
            message = await wire.video("A lighthouse")
            await wire.wait_for_video(message)
            await wire.wait_for_job()
            await fake_discord.answer_to(await fake_discord.slash("videos"))
            [edit] = [part for part in message.components if part.get("label") == "Edit prompt"]
            await fake_discord.click(message, edit["custom_id"])
        sent = [recorded for recorded in fake_discord.history.requests if recorded.json is not None]
    check_all(sent)
    for recorded in sent:
        route = Route(file=ROUTES, path=recorded.template, method=recorded.method.lower())
        assert they_allow(route, as_strings(recorded.json)), recorded.operation
    kinds = {route.operation for route in sent}
    assert len(kinds) >= 4, kinds
    for version in message.versions:
        place = ("components", "schemas", "MessageResponse")
        assert published.allows(DISCORD, place, version.payload)

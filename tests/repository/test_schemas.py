"""The schemas of our own accept what the services accept, and refuse what they refuse."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from bot.demo.fake_discord.state.history import Recorded
from tests.support.schemas.discord_spec import ROUTES, check
from tests.support.schemas.json_schemas import FOLDER, complain, load, pointer, registry
from tests.support.schemas.openai_spec import FILE, check_request
from tests.support.schemas.samples import (
    BAD,
    CARD,
    GOOD,
    LAYOUT,
    UNWRITTEN,
    button,
    card,
    container,
    row,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.schemas.samples import Sample

FILES = sorted(FOLDER.rglob("*.json"))


def check_body(sample: Sample) -> None:
    path, method = sample.route
    file = FILE if path.startswith("/videos") else ROUTES
    complain(sample.name, f"{file}#{pointer('routes', path, method, 'body')}", sample.body)


def references(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield from (value for key, value in content.items() if key == "$ref")
        for value in content.values():
            yield from references(value)
    if isinstance(content, list):
        for value in content:
            yield from references(value)


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.name)
def test_what_the_services_take_is_allowed(sample: Sample) -> None:
    check_body(sample)


@pytest.mark.parametrize("sample", [*BAD, *UNWRITTEN], ids=lambda sample: sample.name)
def test_what_the_services_refuse_is_not_allowed(sample: Sample) -> None:
    with pytest.raises(AssertionError, match=re.escape(f"{sample.name}: ")):
        check_body(sample)


@pytest.mark.parametrize(
    ("components", "complaint"),
    [
        ([text()] * 40, None),
        ([container(*[text("x" * 100)] * 39)], None),
        ([container(*[text()] * 20)] * 2, "42 components"),
        ([text("x" * 2000), container(text("x" * 2001))], "4001 characters"),
        ([row(button()), container(row(button()))], "used twice"),
    ],
)
def test_what_no_schema_can_add_up_is_added_up(
    components: list[Any], complaint: str | None
) -> None:
    recorded = Recorded(
        at=0,
        method="PATCH",
        path="/webhooks/1/token/messages/2",
        template=CARD.removeprefix("PATCH "),
        query={},
        headers={},
        json={"flags": LAYOUT, "components": components},
        multipart=False,
        files=(),
        arrived=True,
        status=200,
    )
    if complaint is None:
        check(recorded)
    else:
        with pytest.raises(AssertionError, match=complaint):
            check(recorded)


def test_a_complaint_names_the_field_that_is_wrong() -> None:
    path, method = BAD[0].route
    reference = f"{ROUTES}#{pointer('routes', path, method, 'body')}"
    with pytest.raises(AssertionError, match=r"components\[1\]\.components\[0\]\.label: 'x+' is"):
        complain("a card", reference, card(text(), row(button(label="x" * 81))))


def test_a_complaint_about_a_long_value_is_short() -> None:
    path, method = BAD[0].route
    reference = f"{ROUTES}#{pointer('routes', path, method, 'body')}"
    with pytest.raises(
        AssertionError, match=r"^a card: .*content: 'xx.* is too long$"
    ) as complaint:
        complain("a card", reference, card(text("x" * 4001)))
    assert len(str(complaint.value)) < 400


@pytest.mark.parametrize(
    ("query", "fields", "complaint"),
    [
        ({"limit": "101"}, {}, "limit=101"),
        ({"order": "up"}, {}, "order=up"),
        ({"page": "2"}, {}, "knows no"),
        ({}, {"prompt": "x"}, "takes no body"),
    ],
)
def test_a_request_for_videos_that_openai_does_not_know_is_found(
    query: dict[str, str], fields: dict[str, str], complaint: str
) -> None:
    check_request("GET", "/videos", {"limit": "100", "order": "desc", "after": "video_1"}, {})
    with pytest.raises(AssertionError, match=complaint):
        check_request("GET", "/videos", query, fields)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_holds_schemas_alone(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    for schema in content["$defs"].values():
        Draft202012Validator.check_schema(schema)
    for reference in references(content):
        registry().resolver(path.as_uri()).lookup(reference)


def test_each_schema_is_used() -> None:
    used = {FOLDER / "discord" / "answers.json": {"Message"}}
    for path in FILES:
        for reference in references(json.loads(path.read_text(encoding="utf-8"))):
            file, _, name = reference.partition("#/$defs/")
            used.setdefault(path.with_name(file or path.name), set()).add(name)
    for path in FILES:
        assert set(load(str(path.relative_to(FOLDER)))["$defs"]) == used[path]

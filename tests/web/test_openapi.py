from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from tests.support.clients import described
from tests.support.clients.site import Caller, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.fakes.bench import Bench


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def test_the_document_is_public(caller: Caller) -> None:
    status, answer = await caller.ask("GET", "/api/openapi.json", token=None)

    assert status == 200
    assert answer == described.document()


async def test_every_route_of_the_api_is_described_and_nothing_else(caller: Caller) -> None:
    served = {
        (route.method.lower(), route.path)
        for route in caller.site.routes
        if route.path.startswith("/api/")
    }
    written = {
        (method, path)
        for path, operations in described.document()["paths"].items()
        for method in operations
    }
    assert served == written


def test_the_schemas_are_valid_and_each_is_used() -> None:
    document = described.document()
    text = json.dumps(document)
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        used = text.count(f'"#/components/schemas/{name}"')
        assert used or name in document["info"]["description"], name
    for name in document["components"]["responses"]:
        assert f'"#/components/responses/{name}"' in text


@pytest.mark.parametrize("instance", [{"jobId": "x"}, {}, {"jobId": "0" * 32, "more": 1}])
def test_the_check_finds_undescribed_answers(instance: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        described.check("POST", "/api/generate", 200, instance)
    with pytest.raises(AssertionError):
        described.check("POST", "/api/generate", 418, {})

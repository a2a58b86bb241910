"""Checks an answer of a Videos API against OpenAI's own OpenAPI document."""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

URI = "urn:openai-videos"
NAME = "openai_videos_openapi.json"


def check_answer(method: str, path: str, status: int, body: object) -> None:
    """Check a JSON answer; `path` is without the base, such as "/videos/video_123".

    Skips the test where the document is absent, but fails it where CI=true.
    """
    template = _template(path)
    operation = specification()["paths"][template].get(method.lower())
    assert operation is not None, f"OpenAI has no {method} {template}"
    answer = operation["responses"].get(str(status))
    assert answer is not None, f"{method} {template} does not answer {status}"
    assert "application/json" in answer["content"], f"{method} {template} does not answer JSON"
    pointer = "/".join(
        part.replace("~", "~0").replace("/", "~1")
        for part in (
            *("paths", template, method.lower(), "responses", str(status)),
            *("content", "application/json", "schema"),
        )
    )
    error = best_match(_validator(f"#/{pointer}").iter_errors(body))
    assert error is None, f"{method} {template}: {error.json_path}: {error.message}"


@lru_cache(maxsize=1)
def specification() -> dict[str, Any]:
    """Return OpenAI's document, or skip the test."""
    default = Path(__file__).parents[2] / "shared" / "specs"
    path = Path(os.environ.get("CLAPPER_SPECS") or default) / NAME
    if path.is_file():
        return json.loads(path.read_text())
    advice = (
        f"{path} is absent: cut the /videos operations out of openai/openai-openapi; "
        "CLAPPER_SPECS names its folder"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(advice)
    pytest.skip(advice)


def _template(path: str) -> str:
    """Return the document's path that fits, a literal one before one with names."""
    fitting = [
        template
        for template in specification()["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    assert fitting, f"OpenAI has no {path}"
    return min(fitting, key=lambda template: template.count("{"))


@lru_cache(maxsize=16)
def _validator(pointer: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource(
        URI, Resource(contents=specification(), specification=DRAFT202012)
    )
    return Draft202012Validator({"$ref": f"{URI}{pointer}"}, registry=registry)

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.web.pages import home as page_module
from tests.support.clients.site import MAX_AUDIO, Caller, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import aiohttp

    from tests.support.fakes.bench import Bench

STATIC = Path(page_module.__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def get(caller: Caller, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
    async with caller.http.get(path, headers=headers) as response:
        return response, await response.text()


def settings_of(text: str) -> dict[str, Any]:
    [content] = re.findall(r'<meta name="settings" content="([^"]*)">', text)
    return json.loads(unescape(content))


def sources_of(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in policy.split(";"))}


async def test_the_page_is_public_and_contains_no_clients_data(
    caller: Caller,
) -> None:
    await caller.order({"scriptOrQuestion": "a secret plan"})

    response, text = await get(caller, "/")

    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "a secret plan" not in text
    assert "{{" not in text


async def test_the_content_policy_allows_only_the_bots_own_files(caller: Caller) -> None:
    response, text = await get(caller, "/")
    policy = sources_of(response.headers["Content-Security-Policy"])

    assert policy.pop("default-src") == ["'none'"]
    closed = {name for name, sources in policy.items() if sources == ["'none'"]}
    assert closed == {"base-uri", "form-action", "frame-ancestors"}
    # The page plays recordings from memory.
    assert policy.pop("media-src") == ["'self'", "blob:"]
    assert {tuple(policy[name]) for name in policy.keys() - closed} == {("'self'",)}
    assert not re.search(r"\s(?:style|on\w+)=", text)
    assert re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL) == [
        (' type="module" src="static/app.js"', "")
    ]
    assert "<style" not in text


def test_the_scripts_never_turn_text_into_markup() -> None:
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"https?://", text), path


async def test_every_file_of_the_page_is_served_with_its_content_type(caller: Caller) -> None:
    _, text = await get(caller, "/")
    wanted = set(re.findall(r'(?:href|src)="static/([\w.]+)"', text))
    for script in STATIC.glob("*.js"):
        wanted |= set(re.findall(r'from "\./([\w.]+)"', script.read_text(encoding="utf-8")))

    for name in wanted:
        response, body = await get(caller, f"/static/{name}")
        assert response.status == 200, name
        assert response.headers["Content-Type"] == f"{TYPES[Path(name).suffix]}; charset=utf-8"
        assert body == (STATIC / name).read_text(encoding="utf-8")
    scripts = {path.name for path in STATIC.glob("*.js")}
    assert scripts | {"app.css", "icon.svg"} == wanted


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/app.css"])
async def test_a_cached_file_is_not_sent_again(caller: Caller, path: str) -> None:
    response, _ = await get(caller, path)
    assert response.headers["Cache-Control"] == "no-cache"

    again, body = await get(caller, path, **{"If-None-Match": response.headers["ETag"]})
    other, _ = await get(caller, path, **{"If-None-Match": '"other"'})

    assert (again.status, body) == (304, "")
    assert again.headers["ETag"] == response.headers["ETag"]
    assert other.status == 200


@pytest.mark.parametrize(
    "path", ["/static/", "/static/index.html", "/static/..%2Fpage.py", "/static/nothing.js"]
)
async def test_other_paths_below_static_do_not_exist(caller: Caller, path: str) -> None:
    assert (await get(caller, path))[0].status == 404


@pytest.mark.parametrize(
    ("spoken", "language", "word"),
    [
        ("de-CH,de;q=0.9", "de", "Erzeugen"),
        ("ja", "ja", "作成"),
        ("en-GB", "en", "Generate"),
        ("fr", "en", "Generate"),
    ],
)
async def test_the_page_is_in_the_browsers_language(
    caller: Caller, spoken: str, language: str, word: str
) -> None:
    response, text = await get(caller, "/", **{"Accept-Language": spoken})

    assert response.headers["Vary"] == "Accept-Language"
    assert f'<html lang="{language}">' in text
    assert f">{word}</button>" in text
    assert settings_of(text)["words"]["page.generate"] == word
    assert settings_of(text)["language"] == language


async def test_the_page_contains_the_limits_and_whether_videos_can_be_shared(
    caller: Caller, bench: Bench
) -> None:
    settings = settings_of((await get(caller, "/"))[1])
    assert (settings["maxScript"], settings["maxAudioBytes"]) == (2000, MAX_AUDIO)
    assert settings["sharing"] is False
    assert "{percent}" in settings["words"]["page.percent"]

    async with open_site(bench, public_url="https://clapper.example") as other:
        assert settings_of((await get(other, "/"))[1])["sharing"] is True

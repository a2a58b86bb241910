"""The owner's page shows what was spent, only after sign-in with the owner's token."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from PIL import Image

from bot.errors import StartupError
from bot.model import Client
from bot.runtime.costs import make_spending_picture
from bot.runtime.parts.owner_page import open_owner_page
from bot.settings.fields import load_settings
from bot.texts import Texts
from bot.web.http.server import WebServer, bind
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.orders import REQUEST, origin

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

OWNER_TOKEN = "the-owners-own-token"
CLIENT_TOKEN = "a-token-of-sixteen-or-more"
PRICE = 800_000
START = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
HOSTILE = '<script>alert("1")</script>[[months]]{{spending.lead}}'


class Names:
    """Knows one server, and one person whose name is markup."""

    async def server(self, server_id: int) -> str | None:
        return "映像クラブ" if server_id == 10 else None

    async def person(self, user_id: int) -> str | None:
        return HOSTILE if user_id == 1 else None


@dataclass
class Visitor:
    """A browser at the owner's page."""

    http: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.http.get(path, headers=headers) as response:
            return response.status, await response.text()

    async def sign_in(self, token: str, *, page: str | None = None) -> tuple[int, str]:
        headers = {"Origin": page or self.url}
        async with self.http.post(
            "/owner/session", data={"token": token}, headers=headers
        ) as response:
            return response.status, await response.text()


@asynccontextmanager
async def open_page(tmp_path: Path, **overrides: str) -> AsyncGenerator[tuple[Visitor, Bench]]:
    clock, texts = Clock(START), Texts.load()
    budgets = {"price_per_clip": "0.8", "budget_month": "50", "budget_day": "5"}
    tokens = {"owner_token": OWNER_TOKEN, "api_token": f"web:{CLIENT_TOKEN}"}
    values: dict[str, Any] = {**tokens, **budgets, **overrides}
    settings = load_settings(**values)
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        database = bench.database
        picture = make_spending_picture(settings, database, texts, clock=clock)
        page = await open_owner_page(
            settings, database, texts, picture, Names(), secret=b"a secret"
        )
        listener = bind("127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = WebServer(page.routes, listener, is_ready=lambda: True)
        await server.start()
        cookies = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(url, cookie_jar=cookies) as http:
            try:
                yield Visitor(http=http, url=url), bench
            finally:
                await server.close()


async def spend(bench: Bench) -> None:
    """Order from two people in two servers, and by the API."""
    for user_id, guild_id in ((1, 10), (1, 10), (123456789012345678, 20)):
        await bench.jobs.submit(REQUEST, origin(user_id=user_id, guild_id=guild_id), None)
    await bench.jobs.submit(REQUEST, Client(name="shop", key="1"), None)


async def test_the_page_asks_for_the_owners_token_and_shows_nothing_else(tmp_path: Path) -> None:
    async with open_page(tmp_path) as (visitor, bench):
        await spend(bench)
        status, text = await visitor.get("/owner")
        assert (status, "Owner's token" in unescape(text), "$" in text) == (200, True, False)
        assert (await visitor.get("/owner/chart.png"))[0] == 401
        for wrong in (CLIENT_TOKEN, "", "another-token-of-16-characters"):
            status, text = await visitor.sign_in(wrong)
            assert (status, "not the owner's token" in unescape(text)) == (401, True)
        assert (await visitor.get("/owner/chart.png"))[0] == 401


async def test_after_sign_in_the_page_shows_the_tables_and_the_picture(tmp_path: Path) -> None:
    async with open_page(tmp_path) as (visitor, bench):
        await spend(bench)
        status, text = await visitor.sign_in(OWNER_TOKEN)
        assert status == 200
        for words in ("$3.20 of $50.00 spent", "映像クラブ", "Server 20", "API client shop"):
            assert words in text
        assert "Person 123456789012345678" in text
        # Names are shown as they are, and are neither markup nor placeholders.
        assert HOSTILE in unescape(text)
        assert "<script" not in text
        async with visitor.http.get("/owner/chart.png") as response:
            picture = Image.open(io.BytesIO(await response.read()))
            assert (response.content_type, picture.format) == ("image/png", "PNG")
            assert response.headers["Cache-Control"] == "no-store"
        _, german = await visitor.get("/owner", **{"Accept-Language": "de"})
        assert '<html lang="de">' in german
        assert "3,20\u00a0$ von 50,00\u00a0$ ausgegeben" in german
        _, earlier = await visitor.get("/owner?month=2026-10")
        assert "$0.00 of $50.00 spent" in earlier


async def test_a_session_is_an_own_cookie_that_ends_at_sign_out(tmp_path: Path) -> None:
    async with open_page(tmp_path) as (visitor, _):
        await visitor.sign_in(OWNER_TOKEN)
        [cookie] = visitor.http.cookie_jar
        assert cookie.key == "clapper_owner"
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
        assert OWNER_TOKEN not in cookie.value
        copied = {"Cookie": f"{cookie.key}={cookie.value}"}
        for page in ("https://elsewhere.example", "null"):
            await visitor.http.post("/owner/sign-out", headers={"Origin": page})
        assert "$0.00" in (await visitor.get("/owner"))[1]
        await visitor.http.post("/owner/sign-out", headers={"Origin": visitor.url})
        assert list(visitor.http.cookie_jar) == []
        assert "$0.00" not in (await visitor.get("/owner", **copied))[1]


async def test_another_site_signs_no_one_in_and_guesses_are_limited(tmp_path: Path) -> None:
    async with open_page(tmp_path) as (visitor, _):
        status, text = await visitor.sign_in(OWNER_TOKEN, page="https://elsewhere.example")
        assert (status, list(visitor.http.cookie_jar)) == (403, [])
        assert "another site" in text
        guesses = [await visitor.sign_in("a-guess-of-16-characters") for _ in range(25)]
        assert guesses[0][0] == 401
        assert guesses[-1][0] == 429
        assert "Too many requests" in guesses[-1][1]
        # The owner is never locked out.
        assert (await visitor.sign_in(OWNER_TOKEN))[0] == 200


async def test_a_form_with_many_fields_is_a_wrong_token_and_counts_as_a_guess(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_page(tmp_path) as (visitor, _):
        form, headers = "&".join(f"field{each}=1" for each in range(9)), {"Origin": visitor.url}
        statuses: list[int] = []
        for _each in range(25):
            async with visitor.http.post("/owner/session", data=form, headers=headers) as response:
                statuses.append(response.status)
        assert (statuses[0], statuses[-1]) == (401, 429)
        assert "Traceback" not in caplog.text


async def test_the_page_needs_a_token_of_its_own(tmp_path: Path) -> None:
    for same in ({"owner_token": CLIENT_TOKEN}, {"metrics_token": OWNER_TOKEN}):
        with pytest.raises(StartupError, match="OWNER_TOKEN is also in"):
            async with open_page(tmp_path / "again", **same):
                pass
    with pytest.raises(StartupError, match="OWNER_TOKEN: must have 16 characters"):
        load_settings(owner_token="short")

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.web.api.authentication import Authentication
from tests.support.clients.site import TOKEN, Caller, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench, public_url="https://clapper.example") as opened:
        yield opened


def authentication(clock: Clock, **tokens: str) -> Authentication:
    return Authentication(tokens, key=b"a key", public_url="", clock=clock)


async def sign_in(caller: Caller, **headers: str) -> tuple[int, str]:
    async with caller.http.post("/api/session", json={"token": TOKEN}, headers=headers) as response:
        return response.status, response.headers.get("Set-Cookie", "")


async def test_a_session_is_a_cookie_that_no_script_can_read_and_no_other_site_sends(
    caller: Caller,
) -> None:
    status, cookie = await sign_in(caller)

    assert status == 200
    assert TOKEN not in cookie
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
        assert part in cookie


async def test_a_session_may_read_anywhere_but_order_only_from_the_bots_own_page(
    caller: Caller,
) -> None:
    cookie = (await sign_in(caller))[1].partition(";")[0]
    ours = {"Cookie": cookie, "Origin": "https://clapper.example"}
    order = {"json": {"scriptOrQuestion": "a cat"}}

    assert (await caller.ask("GET", "/api/session", token=None, headers=ours))[1] == {
        "client": "web"
    }
    assert (await caller.ask("POST", "/api/generate", token=None, headers=ours, **order))[0] == 200
    for strange in (
        {"Cookie": cookie},
        {"Cookie": cookie, "Origin": "https://elsewhere.example"},
        {"Cookie": cookie, "Origin": "null"},
    ):
        status, answer = await caller.ask(
            "POST", "/api/generate", token=None, headers=strange, **order
        )
        assert (status, answer["error"]["key"]) == (401, "api.unauthorized")


async def test_another_site_can_not_sign_a_visitor_in(caller: Caller) -> None:
    assert (await sign_in(caller, Origin="https://elsewhere.example"))[0] == 403
    assert (await sign_in(caller, Origin="https://clapper.example"))[0] == 200


@pytest.mark.parametrize("body", [{}, {"token": 7}, ["a"], {"token": "wrong-token-of-sixteen"}])
async def test_a_sign_in_without_the_right_token_is_refused(caller: Caller, body: object) -> None:
    status, answer = await caller.ask("POST", "/api/session", token=None, json=body)
    assert status in {400, 401}
    assert answer["error"]["message"]


async def test_signing_out_deletes_the_cookie(caller: Caller) -> None:
    async with caller.http.delete("/api/session") as response:
        assert response.status == 204
        assert 'clapper_session=""' in response.headers["Set-Cookie"]
        assert "Max-Age=0" in response.headers["Set-Cookie"]


def test_an_expired_session_a_changed_token_and_a_modified_cookie_are_refused(clock: Clock) -> None:
    before = authentication(clock, web="a-token-of-sixteen-chars")
    cookie = before.open_session("web")

    assert before.by_session(cookie) == "web"
    assert authentication(clock, web="another-token-of-sixteen").by_session(cookie) is None
    assert authentication(clock, other="a-token-of-sixteen-chars").by_session(cookie) is None
    assert before.by_session(cookie.replace("web.", "xeb.")) is None
    assert before.by_session(cookie[:-1]) is None
    clock.advance(31 * 24 * 60 * 60)
    assert before.by_session(cookie) is None

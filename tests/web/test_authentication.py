from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.web.api.authentication import Authentication
from bot.web.http.caller_address import Proxies
from storage.sessions import SessionStore
from tests.support.clients.site import OTHER_TOKEN, TOKEN, Caller, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.fakes.bench import Bench

OURS = {"Origin": "https://clapper.example"}
ORDER = {"json": {"scriptOrQuestion": "a cat"}}


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench, public_url="https://clapper.example") as opened:
        yield opened


def authentication(bench: Bench, **tokens: str) -> Authentication:
    store = SessionStore(bench.database)
    return Authentication(
        tokens, store, key=b"a key", public_url="", proxies=Proxies(), clock=bench.clock
    )


async def sign_in(caller: Caller, token: str = TOKEN, **headers: str) -> tuple[int, str]:
    async with caller.http.post("/api/session", json={"token": token}, headers=headers) as response:
        return response.status, response.headers.get("Set-Cookie", "")


async def signed_in(caller: Caller, token: str = TOKEN) -> dict[str, str]:
    """Sign in, and return the headers of a request of the page."""
    cookie = (await sign_in(caller, token))[1].partition(";")[0]
    return {"Cookie": cookie, **OURS}


async def is_in(caller: Caller, headers: dict[str, str]) -> bool:
    return (await caller.ask("GET", "/api/session", token=None, headers=headers))[0] == 200


async def test_a_session_is_a_cookie_that_no_script_can_read_and_no_other_site_sends(
    caller: Caller,
) -> None:
    status, cookie = await sign_in(caller)

    assert status == 200
    assert TOKEN not in cookie
    assert cookie.startswith("__Host-clapper_session=")
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("secure", [True, False])
async def test_only_under_https_browsers_are_told_to_use_it(bench: Bench, *, secure: bool) -> None:
    url = f"http{'s' * secure}://clapper.example"
    async with open_site(bench, public_url=url) as caller:
        _, cookie = await sign_in(caller)
        paths = ("/", "/healthz", "/nowhere", "/api/session", "/api/nowhere")
        for path in paths:
            async with caller.http.get(path) as response:
                assert ("Strict-Transport-Security" in response.headers) is secure
    assert cookie.startswith("__Host-") is secure
    assert ("Secure" in cookie) is secure


async def test_a_session_may_read_anywhere_but_order_only_from_the_bots_own_page(
    caller: Caller,
) -> None:
    ours = await signed_in(caller)
    cookie = ours["Cookie"]

    assert (await caller.ask("GET", "/api/session", token=None, headers=ours))[1] == {
        "client": "web"
    }
    assert (await caller.ask("POST", "/api/generate", token=None, headers=ours, **ORDER))[0] == 200
    for strange in (
        {"Cookie": cookie},
        {"Cookie": cookie, "Origin": "https://elsewhere.example"},
        {"Cookie": cookie, "Origin": "null"},
    ):
        status, answer = await caller.ask(
            "POST", "/api/generate", token=None, headers=strange, **ORDER
        )
        assert (status, answer["error"]["key"]) == (401, "api.unauthorized")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"Origin": "https://clapper.example"}, True),
        ({"Origin": "https://CLAPPER.example:443"}, True),
        ({"Origin": "http://clapper.example"}, False),
        ({"Origin": "https://clapper.example:8443"}, False),
        ({"Origin": "https://clapper.example.evil"}, False),
        ({"Origin": "ftp://clapper.example"}, False),
        ({"Origin": "http://lan:8080", "Host": "lan:8080"}, True),
        ({"Origin": "http://lan", "Host": "lan:80"}, True),
        ({"Origin": "https://lan:8080", "Host": "lan:8080"}, False),
        ({"Origin": "http://lan:9090", "Host": "lan:8080"}, False),
        ({"Origin": "https://lan", "Host": "lan", "X-Forwarded-Proto": "https"}, True),
        ({"Origin": "http://lan", "Host": "lan", "X-Forwarded-Proto": "https"}, False),
        ({"Origin": "javascript://lan", "Host": "lan", "X-Forwarded-Proto": "javascript"}, False),
        ({"Origin": "http://lan:x", "Host": "lan"}, False),
    ],
)
async def test_an_origin_is_compared_with_its_scheme_and_port(
    caller: Caller, headers: dict[str, str], *, ours: bool
) -> None:
    assert (await sign_in(caller, **headers))[0] == (200 if ours else 403)


async def test_another_site_can_not_sign_a_visitor_in(caller: Caller) -> None:
    assert (await sign_in(caller, Origin="https://elsewhere.example"))[0] == 403
    assert (await sign_in(caller, Origin="https://clapper.example"))[0] == 200


@pytest.mark.parametrize("body", [{}, {"token": 7}, ["a"], {"token": "wrong-token-of-sixteen"}])
async def test_a_sign_in_without_the_right_token_is_refused(caller: Caller, body: object) -> None:
    status, answer = await caller.ask("POST", "/api/session", token=None, json=body)
    assert status in {400, 401}
    assert answer["error"]["message"]


async def test_signing_out_deletes_the_cookie_and_ends_that_session_alone(caller: Caller) -> None:
    one, two = [await signed_in(caller) for _ in range(2)]
    async with caller.http.delete("/api/session", headers=one) as response:
        assert response.status == 204
        assert '__Host-clapper_session=""' in response.headers["Set-Cookie"]
        assert "Max-Age=0" in response.headers["Set-Cookie"]
        assert "Secure" in response.headers["Set-Cookie"]
    assert not await is_in(caller, one)
    assert await is_in(caller, two)


async def test_signing_out_everywhere_ends_all_sessions_of_that_client_alone(
    caller: Caller,
) -> None:
    one, two = [await signed_in(caller) for _ in range(2)]
    other = await signed_in(caller, OTHER_TOKEN)
    async with caller.http.delete("/api/sessions", headers=one) as response:
        assert response.status == 204
    assert [await is_in(caller, each) for each in (one, two, other)] == [False, False, True]
    assert await is_in(caller, await signed_in(caller))
    for strange in ({}, {"Cookie": other["Cookie"]}, {**other, "Origin": "https://x.example"}):
        async with caller.http.delete("/api/sessions", headers=strange) as response:
            assert response.status == 401
    assert await is_in(caller, other)


async def test_signed_out_sessions_stay_so_after_a_restart_until_they_expire(bench: Bench) -> None:
    async with open_site(bench) as caller:
        one, two, three = [await signed_in(caller) for _ in range(3)]
        async with caller.http.delete("/api/session", headers=one) as response:
            assert response.status == 204
        async with caller.http.delete("/api/session", headers={"Cookie": "x=y"}) as response:
            assert response.status == 204
    async with open_site(bench) as caller:
        assert [await is_in(caller, each) for each in (one, two)] == [False, True]
        token = {"Authorization": f"Bearer {TOKEN}"}
        async with caller.http.delete("/api/sessions", headers=token) as response:
            assert response.status == 204
        four = await signed_in(caller)
        async with caller.http.delete("/api/session", headers=four) as response:
            assert response.status == 204
    async with open_site(bench) as caller:
        assert not any([await is_in(caller, each) for each in (one, two, three, four)])
    assert len(await bench.database.rows("SELECT * FROM signed_out", {})) == 1
    bench.clock.advance(31 * 24 * 60 * 60)
    async with open_site(bench):
        assert await bench.database.rows("SELECT * FROM signed_out", {}) == []


async def test_the_database_holds_nothing_that_signs_in(bench: Bench) -> None:
    async with open_site(bench) as caller:
        headers = await signed_in(caller)
        async with caller.http.delete("/api/session", headers=headers):
            pass
        [row] = await bench.database.rows("SELECT * FROM signed_out", {})
    assert not set(row["hash"].split()) & set(headers["Cookie"].partition("=")[2].split("."))


async def test_signing_out_closes_the_sockets_of_the_session(bench: Bench) -> None:
    async with open_site(bench) as caller:
        one, two = [await signed_in(caller) for _ in range(2)]
        token = {"Authorization": f"Bearer {TOKEN}"}
        host = {"Origin": caller.url}
        sockets = [
            await caller.http.ws_connect("/ws", headers={**headers, **host})
            for headers in (one, two, token)
        ]
        for socket in sockets:
            await socket.send_json({"action": "subscribe", "jobId": "x"})
            assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT
        async with caller.http.delete("/api/session", headers=one):
            pass
        assert (await sockets[0].receive()).data == 4401
        headers = {**two, **host}
        async with caller.http.delete("/api/sessions", headers=headers) as response:
            assert response.status == 204
        assert (await sockets[1].receive()).data == 4401
        await sockets[2].send_json({"action": "subscribe", "jobId": "x"})
        assert (await sockets[2].receive()).type is aiohttp.WSMsgType.TEXT


async def test_signing_out_closes_a_socket_whose_request_had_a_proxys_password(
    bench: Bench,
) -> None:
    async with open_site(bench) as caller:
        headers = {**await signed_in(caller), "Origin": caller.url, "Authorization": "Basic YTpi"}
        socket = await caller.http.ws_connect("/ws", headers=headers)
        await socket.send_json({"action": "subscribe", "jobId": "x"})
        assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT
        async with caller.http.delete("/api/session", headers=headers) as response:
            assert response.status == 204
        assert (await socket.receive(timeout=5)).data == 4401


async def test_an_expired_session_a_changed_token_and_a_modified_cookie_are_refused(
    bench: Bench,
) -> None:
    before = authentication(bench, web="a-token-of-sixteen-chars").sessions
    cookie = before.open("web")

    def client_of(cookie: str, **tokens: str) -> str | None:
        sessions = authentication(bench, **tokens).sessions if tokens else before
        session = sessions.find(cookie)
        return session.client if session else None

    assert client_of(cookie) == "web"
    assert client_of(cookie, web="another-token-of-sixteen") is None
    assert client_of(cookie, other="a-token-of-sixteen-chars") is None
    assert client_of(cookie.replace("web.", "xeb.")) is None
    assert client_of(cookie[:-1]) is None
    bench.clock.advance(31 * 24 * 60 * 60)
    assert client_of(cookie) is None

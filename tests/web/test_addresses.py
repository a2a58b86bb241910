from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.web.http.caller_address import Proxies
from tests.support.clients.site import TOKEN, Caller, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiohttp import web

    from tests.support.fakes.bench import Bench

DOCKER = ("127.0.0.0/8", "::1", "172.17.0.1", "10.1.0.0/16")
CLIENT = "203.0.113.9"


def make_request(peer: str, *forwarded: str) -> web.Request:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    return make_mocked_request("GET", "/", headers).clone(remote=peer)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", (CLIENT,), CLIENT),
        ("::1", (CLIENT,), CLIENT),
        ("::ffff:127.0.0.1", (CLIENT,), CLIENT),
        ("172.17.0.1", (CLIENT,), CLIENT),
        ("172.17.0.1", (), "172.17.0.1"),
        ("172.17.0.2", (CLIENT,), "172.17.0.2"),
        ("127.0.0.1", ("198.51.100.1, " + CLIENT,), CLIENT),
        ("127.0.0.1", (CLIENT + ",10.1.2.3",), CLIENT),
        ("127.0.0.1", ("198.51.100.1", CLIENT), CLIENT),
        ("127.0.0.1", ("198.51.100.1, a lie",), "127.0.0.1"),
        ("198.51.100.1", (CLIENT,), "198.51.100.1"),
        ("::ffff:198.51.100.1", (), "198.51.100.1"),
        ("2001:db8::1:2:3:4", (), "2001:db8::/64"),
        ("2001:db8::5", (), "2001:db8::/64"),
    ],
)
def test_only_a_trusted_proxys_x_forwarded_for_is_believed(
    peer: str, forwarded: tuple[str, ...], address: str
) -> None:
    assert Proxies(DOCKER).address_of(make_request(peer, *forwarded)) == address


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def exhaust(caller: Caller) -> None:
    """Send requests without a valid token until this address is limited."""
    for token in (None, "wrong-token-of-sixteen"):
        status = 0
        while status != 429:
            status, _ = await caller.ask("GET", "/api/openapi.json", token=token)
        status = 0
        while status != 429:
            status, _ = await caller.ask("GET", "/api/jobs", token=token)


async def test_failed_requests_do_not_block_a_valid_token_from_the_same_address(
    caller: Caller,
) -> None:
    await exhaust(caller)

    assert (await caller.ask("GET", "/api/jobs"))[0] == 200
    assert (await caller.ask("GET", "/api/openapi.json"))[0] == 200
    signed_in, _ = await caller.ask("POST", "/api/session", token=None, json={"token": TOKEN})
    assert signed_in == 200
    async with caller.http.ws_connect("/ws") as socket:
        await socket.send_json({"action": "authenticate", "token": TOKEN})
        await socket.send_json({"action": "subscribe", "jobId": "0" * 32})
        assert (await socket.receive_json())["error"]["key"] == "api.unknown_job"
    wrong = {"token": "wrong-token-of-sixteen"}
    assert (await caller.ask("POST", "/api/session", token=None, json=wrong))[0] == 429


async def test_failed_requests_from_one_address_do_not_limit_another(caller: Caller) -> None:
    await exhaust(caller)
    elsewhere = {"X-Forwarded-For": CLIENT}
    status, _ = await caller.ask("GET", "/api/openapi.json", token=None, headers=elsewhere)
    assert status == 200

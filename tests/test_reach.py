"""What `doctor` says of the port, the API, and the address from outside."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.commands.checks import reachability
from bot.commands.checks.reachability import (
    answer_of,
    examine_api,
    examine_port,
    examine_public_url,
)
from bot.settings.fields import Settings
from bot.web.http.server import WebServer, bind
from tests.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from bot.commands.checks.findings import Finding


def knowing(*addresses: str) -> Callable[[str], Awaitable[list[reachability.Address]]]:
    """Return a resolver that knows one answer; none: there is no such name."""

    async def look_up(host: str) -> list[reachability.Address]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, f"no {host}")
        return [ipaddress.ip_address(address) for address in addresses]

    return look_up


@asynccontextmanager
async def clapper() -> AsyncGenerator[int]:
    """Serve as the bot does; yield the port."""
    listener = bind("127.0.0.1", 0)
    server = WebServer((), listener, is_ready=lambda: True)
    await server.start()
    try:
        yield listener.getsockname()[1]
    finally:
        await server.close()


async def look_at(address: str) -> Finding:
    """Look at a URL where nothing answers, whose name has this address."""
    return await examine_public_url("http://c.invalid", look_up=knowing(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080",
        "https://clapper.localhost",
        "http://127.0.0.1:8080",
        "http://127.8.8.8",
        "http://0.0.0.0:8080",
        "http://[::1]:8080",
        "http://[::]",
        "http://[::ffff:127.0.0.1]",
    ],
)
async def test_an_address_that_is_everybodys_own_machine_is_refused(url: str) -> None:
    found = await examine_public_url(url, look_up=knowing("93.184.215.14"))
    assert not found.ok
    assert "their own machine" in found.found
    assert "leave it empty" in found.advice


async def test_a_name_that_nobody_knows_is_seen() -> None:
    found = await examine_public_url("https://c.example", look_up=knowing())
    assert (found.ok, "no address of c.example" in found.found) == (False, True)


async def test_a_name_that_no_lookup_answers_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reachability, "_LOOKUP_SECONDS", -1.0)
    found = await examine_public_url("https://c.example")
    assert not found.ok


async def test_clapper_is_known_by_its_answer() -> None:
    async with clapper() as port:
        assert await answer_of(f"http://127.0.0.1:{port}") == (True, "Clapper answers there", "")


async def test_no_answer_is_told_without_blaming_the_address() -> None:
    found = await look_at("93.184.215.14")
    assert found.ok
    assert found.advice.startswith("without https")
    assert "is the bot running, and does your proxy pass it?" in found.found


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "something answers 200, but not as Clapper does"),
        (404, "something answers 404, but not as Clapper does"),
        (502, "a proxy answers 502: is the bot running"),
    ],
)
async def test_what_answers_in_its_stead_is_told(status: int, words: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<h1>It works!</h1>")

    app = web.Application()
    app.router.add_get("/healthz", answer)
    async with TestServer(app) as server:
        assert server.port is not None
        ok, found, advice = await answer_of(f"http://127.0.0.1:{server.port}")
    assert ok
    assert words in found
    assert ("/healthz" in advice) is (status in {200, 404})


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("192.168.1.7", "192.168.1.7 is of a private network"),
        ("100.64.0.9", "100.64.0.9 is of a private network"),
        ("fd00::7", "fd00::7 is of a private network"),
        ("127.0.1.1", "see that others get a public address"),
    ],
)
async def test_what_will_not_work_is_said_of_an_address_within(address: str, words: str) -> None:
    found = await look_at(address)
    assert found.ok
    assert words in found.advice


async def test_a_port_is_free_or_the_bots_or_taken() -> None:
    async with clapper() as port:
        found = await examine_port(Settings(http_port=port))
        assert (found.ok, "a Clapper is running there" in found.found) == (True, True)
    found = await examine_port(Settings(http_port=free_port()))
    assert (found.ok, "is free" in found.found) == (True, True)
    async with TestServer(web.Application()) as server:
        assert server.port is not None
        found = await examine_port(Settings(http_port=server.port))
    assert (found.ok, "Choose another port, or stop the program" in found.advice) == (False, True)
    assert (await examine_port(Settings(http_port=0))).found == "any free one"


async def test_a_host_that_is_not_of_this_machine_is_seen() -> None:
    found = await examine_port(Settings(http_host="192.0.2.1", http_port=free_port()))
    assert (found.ok, "HTTP_HOST: 192.0.2.1" in found.advice) == (False, True)


def test_the_api_is_open_for_those_who_are_named() -> None:
    assert examine_api(Settings(api_token="")).found == "closed: no API_TOKEN"
    one = Settings(api_token="one-token-of-sixteen")
    assert examine_api(one).found == "open for 1 client: api"
    two = Settings(api_token="web:one-token-of-sixteen,phone:two-token-of-sixteen")
    assert examine_api(two).found == "open for 2 clients: phone, web"

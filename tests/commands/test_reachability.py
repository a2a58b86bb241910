"""Tests the findings of `doctor` about the port, the API tokens and the public address."""

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
    examine_api,
    examine_port,
    examine_public_url,
    probe,
)
from bot.settings.fields import Settings
from bot.web.http.server import WebServer, bind
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from bot.commands.checks.findings import Finding


def resolving_to(*addresses: str) -> Callable[[str], Awaitable[list[reachability.Address]]]:
    """Return a resolver with one answer for every host; without addresses: no host exists."""

    async def look_up(host: str) -> list[reachability.Address]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, f"no {host}")
        return [ipaddress.ip_address(address) for address in addresses]

    return look_up


@asynccontextmanager
async def clapper() -> AsyncGenerator[int]:
    """Run the bot's web server; yield the port."""
    listener = bind("127.0.0.1", 0)
    server = WebServer((), listener, is_ready=lambda: True)
    await server.start()
    try:
        yield listener.getsockname()[1]
    finally:
        await server.close()


async def examine_address(address: str) -> Finding:
    """Examine an unreachable URL whose host has this address."""
    return await examine_public_url("http://c.invalid", look_up=resolving_to(address))


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
async def test_an_address_of_this_machine_is_refused(url: str) -> None:
    found = await examine_public_url(url, look_up=resolving_to("93.184.215.14"))
    assert not found.ok
    assert "only works on this machine" in found.found
    assert "leave it empty" in found.advice


async def test_a_host_that_does_not_exist_is_reported() -> None:
    found = await examine_public_url("https://c.example", look_up=resolving_to())
    assert (found.ok, "c.example can't be resolved" in found.found) == (False, True)


async def test_a_lookup_without_an_answer_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reachability, "_LOOKUP_SECONDS", -1.0)
    found = await examine_public_url("https://c.example")
    assert not found.ok


async def test_the_public_url_is_shown_without_its_password() -> None:
    for host in ("127.0.0.1", "c.invalid"):
        url = f"http://user:secret@{host}"
        for look_up in (resolving_to(), resolving_to("93.184.215.14")):
            found = await examine_public_url(url, look_up=look_up)
            assert found.found.startswith(f"http://{host}: ")
            assert "secret" not in found.found + found.advice


async def test_clapper_is_recognised_by_its_answer() -> None:
    async with clapper() as port:
        assert await probe(f"http://127.0.0.1:{port}") == (True, "Clapper responds there", "")


async def test_no_answer_is_reported_without_blaming_the_address() -> None:
    found = await examine_address("93.184.215.14")
    assert found.ok
    assert found.advice.startswith("without https")
    assert "is the bot running, and does your proxy forward to it?" in found.found


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "a server responds with 200, but it is not Clapper"),
        (404, "a server responds with 404, but it is not Clapper"),
        (502, "a proxy responds with 502: is the bot running"),
    ],
)
async def test_another_server_at_the_address_is_reported(status: int, words: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<h1>It works!</h1>")

    app = web.Application()
    app.router.add_get("/healthz", answer)
    async with TestServer(app) as server:
        assert server.port is not None
        ok, found, advice = await probe(f"http://127.0.0.1:{server.port}")
    assert ok
    assert words in found
    assert ("/healthz" in advice) is (status in {200, 404})


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("192.168.1.7", "192.168.1.7 is in a private network"),
        ("100.64.0.9", "100.64.0.9 is in a private network"),
        ("fd00::7", "fd00::7 is in a private network"),
        ("127.0.1.1", "make sure that it resolves to a public address elsewhere"),
    ],
)
async def test_the_limits_of_a_private_address_are_explained(address: str, words: str) -> None:
    found = await examine_address(address)
    assert found.ok
    assert words in found.advice


async def test_a_port_is_free_or_used_by_clapper_or_by_another_program() -> None:
    async with clapper() as port:
        found = await examine_port(Settings(http_port=port))
        assert (found.ok, "Clapper is running there" in found.found) == (True, True)
    found = await examine_port(Settings(http_port=free_port()))
    assert (found.ok, "is free" in found.found) == (True, True)
    async with TestServer(web.Application()) as server:
        assert server.port is not None
        found = await examine_port(Settings(http_port=server.port))
    assert (found.ok, "Choose another port, or stop the program" in found.advice) == (False, True)
    assert (await examine_port(Settings(http_port=0))).found == "any free port"


async def test_an_address_of_another_machine_is_reported() -> None:
    found = await examine_port(Settings(http_host="192.0.2.1", http_port=free_port()))
    assert (found.ok, "HTTP_HOST: 192.0.2.1" in found.advice) == (False, True)


def test_the_clients_of_the_api_are_named() -> None:
    assert examine_api(Settings(api_token="")).found == "not set: the API is off"
    one = Settings(api_token="one-token-of-sixteen")
    assert examine_api(one).found == "1 client: api"
    two = Settings(api_token="web:one-token-of-sixteen,phone:two-token-of-sixteen")
    assert examine_api(two).found == "2 clients: phone, web"

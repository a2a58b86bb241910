"""What `doctor` finds out about the ways in: the port, the API, and the address from outside."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from bot.commands.checks.findings import Finding
from bot.errors import StartupError
from bot.web.http.server import bind, reachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from ipaddress import IPv4Address, IPv6Address

    from bot.settings.fields import Settings

    Address = IPv4Address | IPv6Address

_PUBLIC_URL, _PORT, _API = "PUBLIC_URL", "HTTP_PORT", "API_TOKEN"
_LOOKUP_SECONDS = 5.0
_SECONDS = 5.0
_OK = 200
# What `/healthz` says.
_OURS = b"ok\n"
# What a proxy says of a server that is not there.
_NOT_THERE = frozenset({502, 503, 504})


async def look_up(host: str) -> list[Address]:
    """Return the addresses of a name; OSError: there are none, or nobody knows now."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LOOKUP_SECONDS):
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    # An address of a link ends with its interface.
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


async def examine_public_url(
    url: str, *, look_up: Callable[[str], Awaitable[Sequence[Address]]] = look_up
) -> Finding:
    """Look where the address leads, and what answers there."""
    if not url:
        return Finding(
            subject=_PUBLIC_URL,
            ok=True,
            found="not set: no webhooks from outside, no links to large videos",
            advice="set PUBLIC_URL if videos may be larger than Discord takes",
        )
    host = urlsplit(url).hostname or ""
    if _is_here(host):
        return Finding(
            subject=_PUBLIC_URL,
            ok=False,
            found=f"{url}: for whoever opens it, that is their own machine",
            advice="name the address at which others reach the bot, or leave it empty",
        )
    try:
        addresses = await look_up(host)
    except (OSError, UnicodeError):
        return Finding(
            subject=_PUBLIC_URL,
            ok=False,
            found=f"{url}: no address of {host} can be found",
            advice="correct the name or its DNS record, or look at this machine's network",
        )
    ok, found, advice = await answer_of(url)
    notes = [note for note in (advice, *_limits(url, addresses)) if note]
    return Finding(subject=_PUBLIC_URL, ok=ok, found=f"{url}: {found}", advice="; ".join(notes))


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = _plain(ipaddress.ip_address(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _plain(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address


def _limits(url: str, addresses: Iterable[Address]) -> list[str]:
    """Say what will not work with such an address."""
    limits: list[str] = []
    inner = [plain for plain in map(_plain, addresses) if not plain.is_global]
    # A machine may know its own name by such an address, while others get the public one.
    if inner and all(address.is_loopback for address in inner):
        limits.append(f"here the name means {inner[0]}; see that others get a public address")
    elif inner:
        limits.append(
            f"{inner[0]} is of a private network: links open there alone, Discord shows none of "
            "them inline, and no service outside can send webhooks"
        )
    if url.startswith("http://"):
        limits.append(
            "without https OpenRouter does not call back, and tokens can be read on the way"
        )
    return limits


async def answer_of(url: str) -> tuple[bool, str, str]:
    """Ask an address for Clapper; return whether all may be well, what came, and what to do."""
    try:
        status, body = await _ask(f"{url}/healthz")
    except aiohttp.ClientSSLError as error:
        return False, f"no secure connection ({type(error).__name__})", "look at its certificate"
    except (aiohttp.ClientError, OSError, ValueError):
        return True, "no answer: is the bot running, and does your proxy pass it?", ""
    if status == _OK and body == _OURS:
        return True, "Clapper answers there", ""
    if status in _NOT_THERE:
        return True, f"a proxy answers {status}: is the bot running, and is its port right?", ""
    advice = "let your proxy pass /healthz and the other paths in README.md to the bot"
    return True, f"something answers {status}, but not as Clapper does", advice


async def _ask(url: str) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
        return response.status, await response.content.read(len(_OURS) + 1)


async def examine_port(settings: Settings) -> Finding:
    """Look whether the port is free, or the bot's already."""
    host, port = settings.http_host, settings.http_port
    if not port:
        return Finding(subject=_PORT, ok=True, found="any free one")
    try:
        with bind(host, port):
            return Finding(subject=_PORT, ok=True, found=f"{host}:{port} is free")
    except StartupError as error:
        refusal = str(error)
    try:
        answer = await _ask(f"http://{reachable(host)}:{port}/healthz")
    except (aiohttp.ClientError, OSError, ValueError):
        answer = None
    if answer == (_OK, _OURS):
        return Finding(subject=_PORT, ok=True, found=f"{host}:{port}: a Clapper is running there")
    return Finding(subject=_PORT, ok=False, found=f"{host}:{port} can't be used", advice=refusal)


def examine_api(settings: Settings) -> Finding:
    """Say for whom the API is open."""
    names = sorted(settings.api_tokens)
    if not names:
        return Finding(subject=_API, ok=True, found="closed: no API_TOKEN")
    clients = "1 client" if len(names) == 1 else f"{len(names)} clients"
    return Finding(subject=_API, ok=True, found=f"open for {clients}: {', '.join(names)}")

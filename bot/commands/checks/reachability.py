"""Checks the embedded HTTP server: its port, its API tokens and its public URL."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from bot.backends.transport.public_addresses import is_public
from bot.commands.checks.findings import Finding, without_password
from bot.errors import StartupError
from bot.web.http.server import bind, url_host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from ipaddress import IPv4Address, IPv6Address

    from bot.settings.fields import Settings

    Address = IPv4Address | IPv6Address

_PUBLIC_URL, _PORT, _API = "PUBLIC_URL", "HTTP_PORT", "API_TOKEN"
_LOOKUP_SECONDS = 5.0
_SECONDS = 5.0
_OK = 200
# The body of the bot's own response to `/healthz`.
_HEALTHY = b"ok\n"
# Proxies respond with these statuses if the server behind them is down.
_UNAVAILABLE = frozenset({502, 503, 504})


async def look_up(host: str) -> list[Address]:
    """Return the IP addresses of a host name.

    Raises OSError if the host name has no address, or if the look-up fails.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LOOKUP_SECONDS):
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    # A link-local address ends with % and the name of the network interface.
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


async def examine_public_url(
    url: str, *, look_up: Callable[[str], Awaitable[Sequence[Address]]] = look_up
) -> Finding:
    """Check that PUBLIC_URL leads to this bot."""
    if not url:
        return Finding(
            subject=_PUBLIC_URL,
            ok=True,
            found="not set: no incoming webhooks, and no links to large videos",
            advice="set it if your videos may exceed Discord's size limit",
        )
    host, shown = urlsplit(url).hostname or "", without_password(url)
    if _is_this_machine(host):
        return Finding(
            subject=_PUBLIC_URL,
            ok=False,
            found=f"{shown}: this address only works on this machine",
            advice="set it to the address at which others reach the bot, or leave it empty",
        )
    try:
        addresses = await look_up(host)
    except (OSError, UnicodeError):
        return Finding(
            subject=_PUBLIC_URL,
            ok=False,
            found=f"{shown}: {host} can't be resolved",
            advice="correct the host name or its DNS record, or check this machine's network",
        )
    ok, found, advice = await probe(url)
    notes = [note for note in (advice, *_limits(url, addresses)) if note]
    return Finding(subject=_PUBLIC_URL, ok=ok, found=f"{shown}: {found}", advice="; ".join(notes))


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = _unmapped(ipaddress.ip_address(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _unmapped(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address


def _limits(url: str, addresses: Iterable[Address]) -> list[str]:
    """Return the features that won't work with the public URL, each with the reason."""
    limits: list[str] = []
    private = [address for address in map(_unmapped, addresses) if not is_public(str(address))]
    # On this machine, /etc/hosts may map the machine's own name to a loopback address. Elsewhere,
    # the name may still resolve to a public address.
    if private and all(address.is_loopback for address in private):
        limits.append(
            f"on this machine the name resolves to {private[0]}; make sure that it resolves to a "
            "public address elsewhere"
        )
    elif private:
        limits.append(
            f"{private[0]} is in a private network: links work only there, Discord can't show "
            "linked videos inline, and services outside can't send webhooks"
        )
    if url.startswith("http://"):
        limits.append(
            "without https, OpenRouter sends no callbacks, and tokens can be read in transit"
        )
    return limits


async def probe(url: str) -> tuple[bool, str, str]:
    """Request `/healthz` from a URL.

    Returns whether the URL may work, what was found, and advice for the operator.
    """
    try:
        status, body = await _ask(f"{url}/healthz")
    except aiohttp.ClientSSLError as error:
        return False, f"no secure connection ({type(error).__name__})", "check its certificate"
    except (aiohttp.ClientError, OSError, ValueError):
        return True, "no response: is the bot running, and does your proxy forward to it?", ""
    if status == _OK and body == _HEALTHY:
        return True, "Clapper responds there", ""
    if status in _UNAVAILABLE:
        return (
            True,
            f"a proxy responds with {status}: is the bot running, and is its port correct?",
            "",
        )
    advice = "let your proxy forward /healthz and the other paths in docs/operating.md to the bot"
    return True, f"a server responds with {status}, but it is not Clapper", advice


async def _ask(url: str) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
        return response.status, await response.content.read(len(_HEALTHY) + 1)


async def examine_port(settings: Settings) -> Finding:
    """Check that the HTTP server's port is free, or that Clapper itself uses the port."""
    host, port = settings.http_host, settings.http_port
    if not port:
        return Finding(subject=_PORT, ok=True, found="any free port")
    try:
        with bind(host, port):
            return Finding(subject=_PORT, ok=True, found=f"{host}:{port} is free")
    except StartupError as error:
        refusal = str(error)
    try:
        answer = await _ask(f"http://{url_host(host)}:{port}/healthz")
    except (aiohttp.ClientError, OSError, ValueError):
        answer = None
    if answer == (_OK, _HEALTHY):
        return Finding(subject=_PORT, ok=True, found=f"{host}:{port}: Clapper is running there")
    return Finding(subject=_PORT, ok=False, found=f"{host}:{port} can't be used", advice=refusal)


def examine_api(settings: Settings) -> Finding:
    """Report the clients that have an API token."""
    names = sorted(settings.api_tokens)
    if not names:
        return Finding(subject=_API, ok=True, found="not set: the API is off")
    clients = "1 client" if len(names) == 1 else f"{len(names)} clients"
    return Finding(subject=_API, ok=True, found=f"{clients}: {', '.join(names)}")

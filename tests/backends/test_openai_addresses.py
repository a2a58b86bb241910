from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from bot.backends.transport.public_addresses import is_public, literal_address
from bot.errors import BackendError, ErrorKind
from tests.support.providers.openai_setup import (
    MAX_BYTES,
    bytes_of,
    done,
    finished,
    names_in,
    served,
)
from tests.support.providers.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from bot.backends.openai_videos import OpenAIVideos

pytest_plugins = ["tests.support.providers.openai_fixtures"]


class Host:
    """A server that sends a clip, or a redirect if one is set, and counts its requests."""

    def __init__(self, clip: Path) -> None:
        self._content = bytes_of(clip)
        self.redirect = ""
        self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except EOFError:
            return
        self.requests += 1
        if self.redirect:
            location = self.redirect.encode()
            writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %b\r\n" % location)
            writer.write(b"Connection: close\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self._content))
            writer.write(self._content)
        await writer.drain()


async def refused(backend: OpenAIVideos, ref: str, sink: Path, result_url: str | None) -> None:
    with pytest.raises(BackendError, match="PrivateAddressError") as caught:
        await backend.fetch(done(ref, result_url=result_url), sink, max_bytes=MAX_BYTES)
    assert caught.value.kind is ErrorKind.TRANSIENT
    assert not names_in(sink.parent)


ON_THIS_MACHINE = (
    "127.0.0.1",
    "127.0.0.2",
    "localhost",
    "2130706433",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",  # noqa: S104 - requested, not bound
)


@pytest.mark.parametrize(
    "case",
    [*itertools.product(ON_THIS_MACHINE, ("note", "redirect", "result"))],
    ids=" as a ".join,
)
async def test_a_result_on_this_machine_is_not_downloaded(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path, clip: Path, case: tuple[str, str]
) -> None:
    host, way = case
    ref = (await finished(api, backend)).ref
    other = Host(clip)
    async with served(other) as port:
        link = f"http://{host}:{port}/latest/meta-data"
        faults = {
            "note": Fault(status=200, body={"url": link}),
            "redirect": Fault(status=302, headers={"Location": link}),
            "result": Fault(status=404, body={"detail": "Not Found"}),
        }
        api.add_faults("content", faults[way])
        await refused(backend, ref, tmp_path / "v.mp4", link if way == "result" else None)
    assert other.requests == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[fe80::1]", "[fd00:ec2::254]"])
async def test_a_result_at_a_private_address_is_refused_without_a_connection(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path, host: str
) -> None:
    ref = (await finished(api, backend)).ref
    api.add_faults("content", Fault(status=200, body={"url": f"http://{host}/v.mp4"}))
    await refused(backend, ref, tmp_path / "v.mp4", None)


async def test_a_trusted_host_may_not_redirect_to_an_untrusted_one(
    api: VideosApi, connect: Callable[..., OpenAIVideos], tmp_path: Path, clip: Path
) -> None:
    first, second = Host(clip), Host(clip)
    async with served(first) as port, served(second) as inner:
        backend = connect(api.base_url, result_origins=(f"http://127.0.0.1:{port}",))
        ref = (await finished(api, backend)).ref
        first.redirect = f"http://localhost:{inner}/v.mp4"
        link = f"http://127.0.0.1:{port}/v.mp4"
        api.add_faults("content", Fault(status=200, body={"url": link}))
        await refused(backend, ref, tmp_path / "v.mp4", None)
    assert (first.requests, second.requests) == (1, 0)


async def test_behind_a_proxy_the_proxy_connects_to_the_result(
    connect: Callable[..., OpenAIVideos],
    tmp_path: Path,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = Host(clip)
    async with served(proxy) as port:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        backend = connect("http://videos.invalid/v1")
        proxy.redirect = "http://10.0.0.1/v.mp4"
        await refused(backend, "v1", tmp_path / "v.mp4", None)
        assert proxy.requests == 1
        proxy.redirect = ""
        sink = tmp_path / "v.mp4"
        await backend.fetch(done("v1"), sink, max_bytes=MAX_BYTES)
    assert bytes_of(sink) == bytes_of(clip)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("::ffff:93.184.215.14", True),
        ("127.0.0.1", False),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("100.100.100.200", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104 - compared, not bound
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:169.254.169.254", False),
        ("2002:7f00:1::", False),
        ("2002:808:808::1", True),
        ("64:ff9b::127.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b::8.8.8.8", True),
        ("64:ff9b:1::10.0.0.1", False),
        ("64:ff9b:1::8.8.8.8", True),
        ("64:ff9b:1:7f00:0:100::", False),
        ("64:ff9b:1:808:8:800::", True),
        ("64:ff9b:1:7f00:0:100:808:808", False),
        ("64:ff9b:1:0:a:b:808:808", False),
        ("::127.0.0.1", False),
        ("::8.8.8.8", True),
        ("::", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:0:127.0.0.1", False),
        ("2600:1f18::5efe:10.0.0.1", False),
        ("2600:1f18::200:5efe:127.0.0.1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("2001:db8::1", False),
        ("3fff::1", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("fe80::1", False),
        ("ff0e::1", False),
        ("100::1", False),
        ("5f00::1", False),
        ("4000::1", False),
        ("2606:4700:4700::1111", True),
        ("192.0.0.1", False),
        ("192.0.0.9", False),
        ("192.0.0.170", False),
        ("192.88.99.1", False),
        ("198.18.0.1", False),
        ("100.64.0.1", False),
        ("239.1.1.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("203.0.113.1", False),
    ],
)
def test_only_globally_reachable_addresses_are_public(address: str, *, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("cdn.example", None),
        ("1.example", None),
        ("", None),
    ],
)
def test_an_address_is_recognised_in_every_notation(host: str, address: str | None) -> None:
    assert literal_address(host) == address

"""Proves for both transports, with real sockets, after which errors a create was never sent."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
from itertools import count
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot import pacing
from bot.backends.openai_videos import OpenAIVideos
from bot.backends.transport.base import Timeouts
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from bot.pacing import MAX_POST_SECONDS
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.loop_time import let_pass, let_read
from tests.support.providers.openai_setup import KEY, REQUEST, over_the_sdk, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

HEADERS_END = b"\r\n\r\n"
both = pytest.mark.parametrize("adapter", [OpenAIVideos, over_the_sdk], ids=["light", "sdk"])


class Peer:
    """A server that records what each connection sent, and then does as a row says.

    `reads`: "nothing", "headers" or "all" of a request. `sends` is the start of an answer.
    `ends`: "reset", "close" or "hang", which lets these `seconds` pass.
    """

    seconds = 0.0

    def __init__(self, *, reads: str = "all", sends: bytes = b"", ends: str = "close") -> None:
        self.reads = reads
        self.sends = sends
        self.ends = ends
        self.received: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = b""
        with contextlib.suppress(asyncio.IncompleteReadError):
            if self.reads != "nothing":
                received = await reader.readuntil(HEADERS_END)
            if self.reads == "all":
                received += await reader.readexactly(length_in(received))
        self.received.append(received)
        writer.write(self.sends)
        await writer.drain()
        if self.ends == "hang":
            await let_read()
            let_pass(self.seconds)
            await asyncio.Event().wait()
        if self.ends == "reset":
            writer.transport.abort()


def length_in(head: bytes) -> int:
    """Return the Content-Length of a request."""
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


async def refused(
    adapter: Callable[..., OpenAIVideos], base_url: str, **seconds: float
) -> BackendError:
    """Return the error of one create."""
    timeouts = Timeouts(**seconds)
    backend = adapter(base_url=base_url, api_key=KEY, timeouts=timeouts)
    try:
        with pytest.raises(BackendError) as caught:
            await backend.submit(REQUEST, create_key="k")
    finally:
        await backend.close()
    return caught.value


def was_never_sent(error: BaseException) -> bool:
    """Return whether the error says that the create was certainly not sent."""
    return type(error) is BackendError and error.kind is ErrorKind.TRANSIENT


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a certificate for localhost that no authority has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@contextlib.asynccontextmanager
async def full_backlog() -> AsyncIterator[int]:
    """Listen with a queue of connections that is full, so that further ones are not answered."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 - not a keyword there
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await loop.sock_connect(waiting, listener.getsockname())
        yield listener.getsockname()[1]


@both
async def test_a_refused_connection(adapter: Callable[..., OpenAIVideos], closed_port: int) -> None:
    assert was_never_sent(await refused(adapter, f"http://127.0.0.1:{closed_port}/v1"))


@both
async def test_a_connection_that_is_not_answered(adapter: Callable[..., OpenAIVideos]) -> None:
    async with full_backlog() as port:
        error = await refused(adapter, f"http://127.0.0.1:{port}/v1", connect=0.2)
    assert was_never_sent(error)


@both
async def test_a_pause_of_the_process_while_it_connects(
    adapter: Callable[..., OpenAIVideos], monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = count(0.0, MAX_POST_SECONDS + 1)
    monkeypatch.setattr(pacing, "seconds_since_boot", lambda: next(moments))
    peer = Peer()
    async with served(peer) as port:
        assert was_never_sent(await refused(adapter, f"http://127.0.0.1:{port}/v1"))
    assert peer.received in ([], [b""])


@both
async def test_a_name_without_an_address(adapter: Callable[..., OpenAIVideos]) -> None:
    assert was_never_sent(await refused(adapter, "http://nowhere.invalid/v1"))
    assert was_never_sent(await refused(adapter, "https://nowhere.invalid/v1"))


TLS_PEERS = {
    "a server without TLS": Peer(reads="nothing", sends=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "a handshake that is closed": Peer(reads="nothing"),
    "a handshake that is reset": Peer(reads="nothing", ends="reset"),
    "a handshake that hangs": Peer(reads="nothing", ends="hang"),
}


@both
@pytest.mark.parametrize("peer", TLS_PEERS.values(), ids=TLS_PEERS)
async def test_a_handshake_that_fails(adapter: Callable[..., OpenAIVideos], peer: Peer) -> None:
    async with served(peer) as port:
        error = await refused(adapter, f"https://127.0.0.1:{port}/v1", connect=0.5)
    assert was_never_sent(error)


@both
async def test_a_certificate_that_no_authority_has_signed(
    adapter: Callable[..., OpenAIVideos], certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    peer = Peer()
    server = await asyncio.start_server(peer, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert was_never_sent(await refused(adapter, f"https://localhost:{port}/v1"))
    assert peer.received == []


@both
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_refuses_the_connection(
    adapter: Callable[..., OpenAIVideos],
    scheme: str,
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{closed_port}")
    assert was_never_sent(await refused(adapter, f"{scheme}://videos.invalid/v1"))


@both
@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy", "502 Bad Gateway"])
async def test_a_proxy_that_opens_no_tunnel(
    adapter: Callable[..., OpenAIVideos], status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = Peer(reads="headers", sends=f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
    async with served(peer) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert was_never_sent(await refused(adapter, "https://videos.invalid/v1"))
    (received,) = peer.received
    assert received.startswith(b"CONNECT videos.invalid:443 ")
    assert KEY.encode() not in received


@both
async def test_a_proxy_that_has_got_the_create_and_breaks_off(
    adapter: Callable[..., OpenAIVideos], monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = Peer(ends="reset")
    async with served(peer) as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        error = await refused(adapter, "http://videos.invalid/v1")
    assert isinstance(error, UnconfirmedSubmitError)
    assert len(peer.received) == 1


DOUBTFUL_PEERS = {
    "a reset before the headers": Peer(reads="nothing", ends="reset"),
    "an end before the headers": Peer(reads="nothing"),
    "a reset before the body": Peer(reads="headers", ends="reset"),
    "an end before the body": Peer(reads="headers"),
    "a reset after the body": Peer(ends="reset"),
    "an end after the body": Peer(),
    "no answer": Peer(ends="hang"),
    "headers that are cut off": Peer(sends=b"HTTP/1.1 200 OK\r\nContent-Le"),
    "headers that stop": Peer(sends=b"HTTP/1.1 200 OK\r\nContent-Le", ends="hang"),
    "a body that is cut off": Peer(
        sends=b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "v1"}'
    ),
    "a body that is reset": Peer(
        sends=b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "v1"}', ends="reset"
    ),
    "a body that stops": Peer(
        sends=b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "v1"}', ends="hang"
    ),
    "chunks that are cut off": Peer(
        sends=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"
    ),
    "an unknown encoding": Peer(
        sends=b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd"
    ),
    "a broken encoding": Peer(
        sends=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
    ),
    "no HTTP": Peer(sends=b"220 mail.example ESMTP\r\n"),
}


@both
@pytest.mark.parametrize("peer", DOUBTFUL_PEERS.values(), ids=DOUBTFUL_PEERS)
async def test_a_connection_that_was_made_leaves_a_doubt_and_is_used_once(
    adapter: Callable[..., OpenAIVideos], peer: Peer
) -> None:
    peer.received.clear()
    peer.seconds = PATIENCE
    async with served(peer) as port:
        error = await refused(adapter, f"http://127.0.0.1:{port}/v1", submit=PATIENCE)
    assert isinstance(error, UnconfirmedSubmitError)
    assert len(peer.received) == 1

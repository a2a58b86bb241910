"""No body is inflated before its request is checked, and none to more than a webhook's size."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

import pytest

from bot.web.http.server import MAX_BODY_BYTES
from bot.web.webhooks import WEBHOOK_PATH
from tests.support.clients.site import TOKEN, open_site
from tests.support.clients.web_server import Site, serve
from tests.support.fakes.webhooks import signed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tests.support.fakes.bench import Bench

EVENT = json.dumps({"type": "video.completed", "data": {"id": "video_1"}}).encode()
BOMB = gzip.compress(bytes(4 * 1024 * 1024), mtime=0)
assert len(BOMB) < MAX_BODY_BYTES


def bare_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


COMPRESSORS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


@pytest.fixture
async def site(bench: Bench) -> AsyncGenerator[Site]:
    async with serve(bench) as served:
        yield served


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "Identity,X"])
@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/d/x"])
async def test_a_compressed_body_is_refused_on_every_route(
    site: Site, path: str, encoding: str
) -> None:
    response, _ = await site.get(path, headers={"Content-Encoding": encoding})
    assert response.status == 415
    assert response.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("path", ["/api/session", "/api/generate", "/api/narrate", "/api/x", "/ws"])
async def test_a_compressed_request_to_the_api_is_refused_in_its_own_words(
    bench: Bench, path: str
) -> None:
    async with open_site(bench) as caller:
        headers = {"Content-Encoding": "gzip", "Authorization": f"Bearer {TOKEN}"}
        async with caller.http.post(path, data=BOMB, headers=headers) as response:
            answer = await response.json()
    assert (response.status, answer["error"]["key"]) == (415, "api.compressed")


async def test_a_request_that_names_the_encoding_of_plain_bodies_is_answered(site: Site) -> None:
    response, _ = await site.get("/healthz", headers={"Content-Encoding": "identity"})
    assert response.status == 200


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [*COMPRESSORS.items(), ("deflate", bare_deflate), ("GZIP", gzip.compress)],
)
@pytest.mark.parametrize("before", [True, False])
async def test_a_webhook_may_be_compressed_and_signed_before_or_after_that(
    site: Site, encoding: str, compress: Callable[[bytes], bytes], *, before: bool
) -> None:
    compressed = compress(EVENT)
    headers = signed(EVENT if before else compressed, now=site.bench.clock())
    answer = await site.post(compressed, {**headers, "Content-Encoding": encoding})
    assert answer.status == 200
    assert await site.inbox() == [("wh_1", "video_1")]


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (BOMB, "gzip", 413),
        (gzip.compress(b"x" * (MAX_BODY_BYTES + 1), mtime=0), "gzip", 413),
        (bytes(MAX_BODY_BYTES + 1), "gzip", 413),
        (gzip.compress(EVENT, mtime=0)[:-1], "gzip", 400),
        (gzip.compress(EVENT, mtime=0) + b"more", "gzip", 400),
        (b"", "gzip", 400),
        (EVENT, "deflate", 400),
        (gzip.compress(EVENT, mtime=0), "br", 415),
        (gzip.compress(gzip.compress(EVENT, mtime=0), mtime=0), "gzip, gzip", 415),
    ],
    ids=[
        "a bomb",
        "too much inside",
        "too much",
        "cut",
        "more behind it",
        "nothing",
        "not compressed",
        "another encoding",
        "compressed twice",
    ],
)
async def test_a_signed_webhook_that_is_compressed_wrongly_is_refused(
    site: Site, body: bytes, encoding: str, status: int
) -> None:
    headers = {**signed(body, now=site.bench.clock()), "Content-Encoding": encoding}
    assert (await site.post(body, headers)).status == status
    assert await site.inbox() == []


async def test_a_compressed_webhook_with_another_signature_is_refused(site: Site) -> None:
    headers = {**signed(EVENT + b" ", now=site.bench.clock()), "Content-Encoding": "gzip"}
    assert (await site.post(gzip.compress(EVENT, mtime=0), headers)).status == 401


@pytest.mark.parametrize(
    "changed", [{"webhook-signature": ""}, {"webhook-timestamp": "1"}, {"webhook-id": ""}]
)
async def test_a_webhook_that_cant_be_genuine_is_refused_before_its_body_is_read(
    site: Site, changed: dict[str, str]
) -> None:
    headers = {**signed(EVENT, now=site.bench.clock()), **changed, "Content-Encoding": "gzip"}
    lines = [f"POST {WEBHOOK_PATH} HTTP/1.1", "Host: x", "Content-Length: 9"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value]
    assert b" 401 " in await site.raw("\r\n".join([*lines, "", ""]).encode())

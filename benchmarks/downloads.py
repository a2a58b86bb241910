"""Many who fetch one file at once, each in ranges; every byte is checked."""

from __future__ import annotations

import http.client
import itertools
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CHUNK = 1024 * 1024
_PARTIAL = 206
_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a file is fetched, and the file that it should be."""

    url: str
    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class _Span:
    """A range, its end excluded, and its checksum."""

    start: int
    end: int
    crc: int


def fetch_all(source: Source, *, readers: int, ranges: int) -> float:
    """Let threads fetch the whole file, each in ranges; return the seconds until all have it.

    RuntimeError: what came is not the file. To be run in a process of its own: the threads would
    keep others from Python's lock.
    """
    spans = _spans(source.path, ranges)
    began = time.perf_counter()
    with ThreadPoolExecutor(readers, thread_name_prefix="reader") as pool:
        for done in [pool.submit(_fetch, source.url, spans) for _ in range(readers)]:
            done.result()
    return time.perf_counter() - began


def _spans(path: Path, ranges: int) -> list[_Span]:
    content = path.read_bytes()
    edges = [len(content) * part // ranges for part in range(ranges + 1)]
    return [
        _Span(start=start, end=end, crc=zlib.crc32(content[start:end]))
        for start, end in itertools.pairwise(edges)
    ]


def _fetch(url: str, spans: Sequence[_Span]) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=_SECONDS)
    buffer = memoryview(bytearray(_CHUNK))
    try:
        for span in spans:
            wanted = f"bytes={span.start}-{span.end - 1}"
            connection.request("GET", address.path, headers={"Range": wanted})
            response = connection.getresponse()
            if response.status != _PARTIAL:
                raise RuntimeError(f"a range was answered with {response.status}")
            if _read(response, buffer) != (span.end - span.start, span.crc):
                raise RuntimeError("a range came with other bytes than were asked for")
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse, buffer: memoryview) -> tuple[int, int]:
    size = crc = 0
    while count := response.readinto(buffer):
        size += count
        crc = zlib.crc32(buffer[:count], crc)
    return size, crc

"""Downloads one file over many connections at once, in ranges, and verifies every byte."""

from __future__ import annotations

import http.client
import itertools
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CHUNK = 1024 * 1024
_TIMEOUT = 120.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A URL, and the path of the file that it must return."""

    url: str
    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class _Range:
    """A range of bytes without its `end`, and its CRC-32."""

    start: int
    end: int
    crc: int


def download_all(source: Source, *, connections: int, ranges: int) -> float:
    """Download the whole file over each connection; return the seconds until all are finished.

    RuntimeError: the content is not the file's. Call this in a separate process, because its
    threads compete with the caller's event loop for the GIL.
    """
    parts = _split(source.path, ranges)
    started = time.perf_counter()
    with ThreadPoolExecutor(connections, thread_name_prefix="download") as pool:
        for future in [pool.submit(_download, source.url, parts) for _ in range(connections)]:
            future.result()
    return time.perf_counter() - started


def _split(path: Path, ranges: int) -> list[_Range]:
    content = path.read_bytes()
    edges = [len(content) * part // ranges for part in range(ranges + 1)]
    return [
        _Range(start=start, end=end, crc=zlib.crc32(content[start:end]))
        for start, end in itertools.pairwise(edges)
    ]


def _download(url: str, ranges: Sequence[_Range]) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=_TIMEOUT)
    buffer = memoryview(bytearray(_CHUNK))
    try:
        for part in ranges:
            header = f"bytes={part.start}-{part.end - 1}"
            connection.request("GET", address.path, headers={"Range": header})
            response = connection.getresponse()
            if response.status != HTTPStatus.PARTIAL_CONTENT:
                raise RuntimeError(f"a range request returned status {response.status}")
            if _read(response, buffer) != (part.end - part.start, part.crc):
                raise RuntimeError("a range does not match the file")
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse, buffer: memoryview) -> tuple[int, int]:
    """Return the size of a response's body and its CRC-32."""
    size = crc = 0
    while count := response.readinto(buffer):
        size += count
        crc = zlib.crc32(buffer[:count], crc)
    return size, crc

"""A server of raw HTTP/1.1, which records the bytes of each request and each connection."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class RawRequest:
    """A request as it was sent; the names of its headers are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(kw_only=True)
class RawServer:
    """Answers each request with the same JSON, and keeps its connections open.

    `more_headers`: further lines of the response's head.
    """

    answer: object
    more_headers: bytes = b""
    requests: list[RawRequest] = field(default_factory=list)
    connections: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        content = json.dumps(self.answer).encode()
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            line, *lines = head.decode().split("\r\n")[:-2]
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            request = RawRequest(line=line, headers=headers, body=body, connection=connection)
            self.requests.append(request)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(self.more_headers)
            writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
            await writer.drain()

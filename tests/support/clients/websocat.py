"""Sends the lines of stdin to the WebSocket URL in its argument, as `websocat -n` does."""

from __future__ import annotations

import asyncio
import sys

import aiohttp


async def main(url: str) -> None:
    """Send and print messages until the server closes the socket."""
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        for line in sys.stdin.read().splitlines():
            await socket.send_str(line)
        async for message in socket:
            sys.stdout.write(f"{message.data}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

"""Serves one file with aiohttp alone, and accepts any POST, for comparison with the bot.

`python -m benchmarks.bare_aiohttp PORT FILE`
"""

from __future__ import annotations

import sys
from pathlib import Path

from aiohttp import web


def main() -> None:
    """Serve the file at / until the process is stopped."""
    port, path = int(sys.argv[1]), Path(sys.argv[2])

    async def send(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path, headers={"Content-Type": "video/mp4"})

    async def accept(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="ok\n")

    application = web.Application()
    application.add_routes([web.get("/", send), web.post("/", accept)])
    web.run_app(application, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main()

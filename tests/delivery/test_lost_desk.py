"""A process that may no longer speak to Discord."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from bot.delivery.call_metrics import DeskIsLostError, trace_calls


async def test_nothing_is_sent_once_another_process_may_be_the_desk() -> None:
    received: list[str] = []
    may_send = [True]

    async def answer(request: web.Request) -> web.Response:
        received.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    trace = trace_calls(lambda *_: None, lambda _: None, lambda: may_send[0])
    try:
        async with aiohttp.ClientSession(trace_configs=[trace]) as http:
            async with http.get(f"{url}/before"):
                may_send[0] = False
            with pytest.raises(DeskIsLostError):
                await http.get(f"{url}/after")
            with pytest.raises(DeskIsLostError):
                await http.ws_connect(f"{url}/gateway")
    finally:
        await runner.cleanup()
    assert received == ["/before"]

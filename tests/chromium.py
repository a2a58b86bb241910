"""A Chromium without a window, driven over its DevTools protocol as a person drives it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "No Chromium: install one (Debian: apt install chromium)."
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--remote-debugging-port=0", "--mute-audio", "--lang=en-US"),
)
_START_SECONDS = 30.0
_STEP_SECONDS = 60.0
_KEYS = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27, "Delete": 46}


class MissingError(Exception):
    """There is no Chromium on this machine."""


class Browser:
    """One tab; `complaints` has every error that its console would show."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._session = ""
        self.complaints: list[str] = []

    async def attach(self) -> None:
        """Open the tab."""
        target = await self.do("Target.createTarget", url="about:blank")
        attached = await self.do("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            await self.do(f"{domain}.enable")

    async def do(self, method: str, **params: Any) -> Any:
        """Send a command, and return its result."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send_json({"id": number, "method": method, "params": params, **session})
        async with asyncio.timeout(_STEP_SECONDS):
            return await self._answers[number]

    async def listen(self) -> None:
        """Read what the browser says, until it is closed."""
        async for message in self._socket:
            said = json.loads(message.data)
            if future := self._answers.pop(said.get("id", 0), None):
                if "error" in said:
                    future.set_exception(RuntimeError(said["error"]["message"]))
                else:
                    future.set_result(said["result"])
            else:
                self._note(said.get("method", ""), said.get("params", {}))

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"])[:500])
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "warning"}:
                self.complaints.append(json.dumps(params["args"])[:500])
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                entry = params["entry"]
                self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
            case _:
                pass

    def excuse(self, expected: str) -> None:
        """Forget the complaints that name what had to go wrong; AssertionError: there are none."""
        left = [said for said in self.complaints if expected not in said]
        if left == self.complaints:
            raise AssertionError(f"the console says nothing of {expected}")
        self.complaints = left

    async def look(self, *, width: int, height: int, dark: bool = False, scale: float = 1) -> None:
        """Become a screen of this size, in pixels, in the light or the dark."""
        await self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.do("Emulation.setEmulatedMedia", features=[scheme])

    async def go(self, url: str) -> None:
        """Open an address."""
        await self.do("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def run(self, script: str) -> Any:
        """Run JavaScript in the page, and return what it gives."""
        result = await self.do(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    async def until(self, script: str, *, seconds: float = _STEP_SECONDS) -> None:
        """Wait until JavaScript is true; TimeoutError: it did not become so."""
        async with asyncio.timeout(seconds):
            while not await self.run(script):  # noqa: ASYNC110 - the page can't call us
                await asyncio.sleep(0.05)

    async def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key by its name."""
        event = {
            "key": key,
            "code": "Space" if key == " " else key,
            "windowsVirtualKeyCode": _KEYS[key],
            "modifiers": 8 if shift else 0,
        }
        text = {"Enter": {"text": "\r"}, " ": {"text": " "}}.get(key, {})
        await self.do("Input.dispatchKeyEvent", type="keyDown", **event, **text)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **event)

    async def type(self, text: str) -> None:
        """Write where the focus is."""
        await self.do("Input.insertText", text=text)

    async def tab_to(self, element_id: str) -> None:
        """Press Tab until an element has the focus; LookupError: it can't be reached so."""
        await self.tab_to_first(f"#{element_id}")

    async def tab_to_first(self, selector: str, *, most: int = 40) -> None:
        """Press Tab until an element that is selected has the focus; LookupError: none can have."""
        for _ in range(most):
            if await self.run(f"Boolean(document.activeElement?.matches({selector!r}))"):
                return
            await self.press("Tab")
        raise LookupError(f"{selector} can't be reached with Tab")

    async def choose_file(self, element_id: str, path: Path) -> None:
        """Choose a file in a field."""
        found = await self.do(
            "Runtime.evaluate", expression=f"document.getElementById({element_id!r})"
        )
        object_id = found["result"]["objectId"]
        await self.do("DOM.setFileInputFiles", files=[str(path)], objectId=object_id)

    async def photograph(self, path: Path) -> None:
        """Save what the whole page looks like, as a PNG."""
        shot = await self.do("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def open_browser() -> AsyncGenerator[Browser]:
    """Start a Chromium with a profile of its own; MissingError: there is none."""
    binary = next((found for name in NAMES if (found := shutil.which(name))), None)
    if binary is None:
        raise MissingError(MISSING)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(binary, *_OPTIONS, f"--user-data-dir={profile}"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            address = await _address(Path(profile) / "DevToolsActivePort")
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(address, max_msg_size=0) as socket,
            ):
                browser = Browser(socket)
                listener = asyncio.create_task(browser.listen(), name="browser")
                await browser.attach()
                yield browser
                listener.cancel()
        finally:
            process.terminate()
            await process.wait()


async def _address(file: Path) -> str:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            lines = file.read_text().split() if file.exists() else []  # noqa: ASYNC240 - tiny
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await asyncio.sleep(0.05)

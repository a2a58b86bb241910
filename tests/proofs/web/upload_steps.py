"""The steps of uploads and of signing out everywhere, in a real browser."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.proofs.web.order_steps import check, sign_in
from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.proofs.web.audit import Auditor
    from tests.support.browser.keyboard_user import KeyboardUser

_SECONDS = 60
_BYTES_PER_SECOND = 100_000
_IS_UNDER_WAY = "() => !upload.hidden && upload.value > 0 && upload.value < 1"
_NOTE = """
window.parts = [];
new MutationObserver(() => { if (!upload.hidden) parts.push(upload.value); })
  .observe(upload, { attributes: true });
"""


async def follow_upload(user: KeyboardUser, auditor: Auditor, folder: Path) -> None:
    """Upload over a slow connection: the page shows how much of the file is sent."""
    voice = clips.make_speech(folder / "long.wav", seconds=_SECONDS)
    await user.page.evaluate(_NOTE)
    await user.write("#script", "A long night")
    await user.page.set_input_files("#audio", voice)
    await user.sees("#file")
    async with _slow_uploads(user):
        await user.press("#generate")
        await user.page.wait_for_function(_IS_UNDER_WAY)
        await auditor.audit("an upload")
    await user.sees("#under-way")
    check(await user.page.is_hidden("#upload"), "the upload's progress is left")
    parts = await user.page.evaluate("parts")
    check(len(set(parts)) > 1 and parts == sorted(parts), f"the upload was {parts}")
    await user.press("#job-cancel")
    await user.sees("#ended")


@asynccontextmanager
async def _slow_uploads(user: KeyboardUser) -> AsyncGenerator[None]:
    devtools = await user.page.context.new_cdp_session(user.page)
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1}
    slow, fast = ({**limits, "uploadThroughput": rate} for rate in (_BYTES_PER_SECOND, -1))
    await devtools.send("Network.emulateNetworkConditions", slow)
    try:
        yield
    finally:
        await devtools.send("Network.emulateNetworkConditions", fast)
        await devtools.detach()


async def sign_out_everywhere(user: KeyboardUser, url: str) -> None:
    """Sign in again, and sign out everywhere: the cookie no longer signs in."""
    await sign_in(user, has_jobs=True)
    [cookie] = await user.page.context.cookies(url)
    await user.press("#sign-out-everywhere")
    await user.sees("#login")
    await user.page.context.add_cookies([cookie])
    answer = await user.page.request.get(f"{url}/api/session")
    check(answer.status == 401, f"the old cookie gets {answer.status}")
    await user.page.context.clear_cookies()

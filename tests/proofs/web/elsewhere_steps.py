"""The steps of what happens outside one tab: other tabs, a lost connection, and deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.proofs.web.order_steps import MAX_SECONDS, check

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.proofs.web.audit import Auditor
    from tests.support.browser.keyboard_user import KeyboardUser

_SCRIPT = "A kite over the sea, seen from another tab"
_LOST = "net::ERR_INTERNET_DISCONNECTED"
_ORDER = """
async (script) => {
  const body = new FormData();
  body.append("scriptOrQuestion", script);
  return (await (await fetch("api/generate", { method: "POST", body })).json()).jobId;
}
"""


async def order_in_another_tab(user: KeyboardUser, url: str) -> None:
    """Order in a second tab: the first one shows it at once, to its end, with its poster."""
    await user.page.bring_to_front()
    other = await user.page.context.new_page()
    await other.goto(url)
    await expect(other.locator("#app")).to_be_visible()
    before = await user.page.locator(".job").count()
    job_id = await other.evaluate(_ORDER, _SCRIPT)
    for page in (user.page, other):
        entry = page.locator(f'[data-job="{job_id}"]')
        await expect(entry).to_be_visible()
        await expect(entry.locator(".chip.completed")).to_be_visible(timeout=MAX_SECONDS * 1000)
        await expect(entry.locator(".poster")).to_be_visible()
        await page.wait_for_function(
            "(id) => document.querySelector(`[data-job='${id}'] .poster`).naturalWidth > 0",
            arg=job_id,
        )
    check(await user.page.locator(".job").count() == before + 1, "the order is listed twice")
    await _delete_in(other, job_id)
    await expect(user.page.locator(f'[data-job="{job_id}"]')).to_have_count(0)
    await other.close()


async def _delete_in(page: Page, job_id: str) -> None:
    await page.locator(f'[data-job="{job_id}"] .open').click()
    await page.locator("#delete").click()
    await page.locator("#delete-sure").click()
    await expect(page.locator(f'[data-job="{job_id}"]')).to_have_count(0)


async def lose_the_bot(user: KeyboardUser, auditor: Auditor) -> None:
    """Lose the network: the page says so until it is back, and then shows what is new."""
    context = user.page.context
    await context.set_offline(True)
    await user.reads("#connection", "out of date")
    await auditor.audit("a lost connection")
    await context.set_offline(False)
    await expect(user.page.locator("#connection")).to_be_hidden()
    await expect(user.page.locator("#announce")).to_contain_text("reached again")
    user.console.expect_error(_LOST)
    job_id = await user.page.evaluate(_ORDER, _SCRIPT)
    await expect(user.page.locator(f'[data-job="{job_id}"]')).to_be_visible()
    await expect(user.page.locator(f'[data-job="{job_id}"] .chip.completed')).to_be_visible(
        timeout=MAX_SECONDS * 1000
    )


async def delete(user: KeyboardUser, auditor: Auditor, url: str) -> None:
    """Delete the newest video by keyboard, after thinking again; it stays deleted."""
    newest = user.page.locator(".job").first
    job_id = await newest.get_attribute("data-job")
    await user.press(f'[data-job="{job_id}"] .open')
    await user.sees("#finished")
    await user.press("#delete")
    await user.sees("#deleting")
    await auditor.audit("the question before a deletion")
    await user.press("#keep")
    await user.is_at("#delete")
    check(await user.page.is_hidden("#deleting"), "it still asks")
    await user.press("#delete")
    await user.press("#delete-sure")
    await expect(user.page.locator(f'[data-job="{job_id}"]')).to_have_count(0)
    await user.is_at("#list-title")
    await user.reads("#announce", "deleted")
    check(await user.page.is_hidden("#job-view"), "the deleted video is still shown")
    answer = await user.page.request.get(f"{url}/api/status?jobId={job_id}")
    check(answer.status == 404, f"the deleted video answers {answer.status}")
    await user.page.reload()
    await user.sees("#jobs")
    await expect(user.page.locator(f'[data-job="{job_id}"]')).to_have_count(0)

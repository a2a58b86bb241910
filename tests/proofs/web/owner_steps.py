"""The owner's page in a real browser, by keyboard alone, in each language."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playwright.async_api import expect

from bot.demo.fake_discord.server import FakeDiscord
from tests.proofs.web.order_steps import check, open_bot_beside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from playwright.async_api import Page, Route

    from tests.proofs.web.audit import Auditor
    from tests.support.browser.keyboard_user import KeyboardUser

_TOKEN = "the-owners-token-of-the-proof"
_PEOPLE = ("山田 花子", "<B>Zoë</B>", "مرحبا")
_SERVER = "Sandbox"
_TITLES = {"en": "Spending in", "de": "Ausgaben im Monat", "ja": "の費用"}
_UNAUTHORIZED = "401 (Unauthorized)"


@asynccontextmanager
async def open_spending_bot(folder: Path) -> AsyncGenerator[str]:
    """Run the bot with a price and budgets, let people order, and yield the page's URL."""
    (folder / "discord").mkdir(parents=True)
    async with (
        FakeDiscord(folder / "discord") as fake_discord,
        open_bot_beside(
            fake_discord,
            folder,
            owner_token=_TOKEN,
            price_per_clip=0.8,
            budget_day=5,
            budget_month=20,
            video_seconds=2,
            video_size="640x360",
        ) as url,
    ):
        for name in _PEOPLE:
            person = fake_discord.world.add_user(name)
            typed = await fake_discord.slash("video", {"prompt": f"For {name}"}, user=person)
            await fake_discord.answer_to(typed)
        yield url


async def sign_in(user: KeyboardUser, auditor: Auditor, url: str) -> None:
    """Try a wrong token, then sign in with the owner's."""
    await user.page.goto(f"{url}/owner")
    await auditor.audit("the owner's sign-in")
    await user.write("#token", "a-wrong-token-of-the-proof")
    await user.page.keyboard.press("Enter")
    await user.reads(".error", "not the owner's token")
    user.console.expect_error(_UNAUTHORIZED)
    await auditor.audit("a wrong owner's token")
    await user.write("#token", _TOKEN)
    await user.page.keyboard.press("Enter")
    await user.reads("h1", _TITLES["en"])


async def see_spending(user: KeyboardUser, auditor: Auditor, url: str, pictures: Path) -> None:
    """Read the tables and see the picture in each language."""
    for language, title in _TITLES.items():
        await _read_in(user.page, language)
        await user.page.goto(f"{url}/owner")
        await user.reads("h1", title)
        check(await user.page.get_attribute("html", "lang") == language, "the language is wrong")
        for name in (*_PEOPLE, _SERVER):
            await expect(user.page.get_by_role("rowheader", name=name, exact=True)).to_be_visible()
        await user.page.wait_for_function("() => document.querySelector('.chart').naturalWidth > 0")
        await auditor.audit(f"the spending in {language}")
        for scheme in ("light", "dark"):
            await user.look(dark=scheme == "dark")
            await user.page.screenshot(
                path=pictures / f"owner-{language}-{scheme}.png", full_page=True
            )
    await user.page.unroute_all()


async def _read_in(page: Page, language: str) -> None:
    """Ask for pages in another language than the browser's own, which no page can change."""

    async def ask(route: Route) -> None:
        await route.continue_(headers={**route.request.headers, "accept-language": language})

    await page.unroute_all()
    await page.route("**/*", ask)


async def sign_out(user: KeyboardUser, url: str) -> None:
    """Sign out: the page asks for the token again."""
    await user.page.goto(f"{url}/owner")
    await user.press("header button")
    await user.sees("#token")

"""Prompts and texts that show nothing, at each command and form of Discord."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.delivery.views.button_ids import Action
from bot.errors import UserError
from bot.model import text_attachment
from tests.support.blank_texts import BLANK_TEXTS
from tests.support.desk import open_desk
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import VOICE
from tests.support.form_steps import SOUND, count, finished, form, press, submit_form

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
BLANK = BLANK_TEXTS["a mixture"]
NO_PROMPT = "what the video should show"
NO_TEXT = "nothing to read aloud"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, voice=FakeVoice(b"")) as opened:
        opened.bench.backend.finish()
        yield opened


async def speeches(desk: Desk) -> int:
    return len(await desk.bench.database.rows("SELECT * FROM speeches", {}))


async def test_the_commands_refuse_what_shows_nothing(desk: Desk) -> None:
    for command, option, sentence in (("video", "prompt", NO_PROMPT), ("narrate", "text", NO_TEXT)):
        typed = await desk.fake_discord.slash(command, {option: BLANK})
        assert sentence in (await desk.fake_discord.answer_to(typed)).text
    assert (await count(desk), await speeches(desk)) == (0, 0)


async def test_the_forms_refuse_a_prompt_that_shows_nothing(desk: Desk) -> None:
    opened = await form(desk, Action.EDIT, await finished(desk))
    assert NO_PROMPT in (await submit_form(desk, opened, {"prompt": BLANK})).text

    user_id = desk.fake_discord.world.user.id
    desk.bench.editor.faults.append(UserError("audio.empty"))
    refused = await desk.bench.submit(attachment=VOICE, user_id=user_id)
    opened = await form(desk, Action.ATTACH, await desk.bench.run_out(refused.id))
    assert NO_PROMPT in (await submit_form(desk, opened, {"prompt": BLANK, "audio": SOUND})).text
    assert await count(desk) == 2


async def test_the_forms_refuse_a_text_that_shows_nothing(desk: Desk) -> None:
    opened = await form(desk, Action.NARRATE, await finished(desk))
    assert NO_TEXT in (await submit_form(desk, opened, {"text": BLANK})).text
    assert (await count(desk), await speeches(desk)) == (1, 0)


async def test_again_refuses_what_an_earlier_version_took(desk: Desk) -> None:
    job = await finished(desk)
    params = {"id": job.id, "prompt": BLANK}
    await desk.bench.database.rows("UPDATE jobs SET prompt = :prompt WHERE id = :id", params)
    assert NO_PROMPT in (await press(desk, Action.AGAIN, job)).text

    spoken = await finished(desk, attachment=text_attachment(BLANK))
    desk.bench.workspace.narration(spoken.id).unlink(missing_ok=True)
    assert NO_TEXT in (await press(desk, Action.AGAIN, spoken)).text
    assert (await count(desk), await speeches(desk)) == (2, 0)

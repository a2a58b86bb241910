"""The ids of buttons."""

from __future__ import annotations

import re

import pytest

from bot.delivery.views.button_ids import TEMPLATE, Action, make_button
from tests.support.jobs import JOB_ID


@pytest.mark.parametrize("action", Action)
def test_a_button_carries_its_action_and_job_and_no_more_than_discord_takes(
    action: Action,
) -> None:
    custom_id = make_button(action, JOB_ID, "label").custom_id
    assert custom_id is not None
    assert len(custom_id) <= 100
    match = re.fullmatch(TEMPLATE, custom_id)
    assert match is not None
    assert (match["action"], match["job"]) == (action, JOB_ID)


@pytest.mark.parametrize(
    "custom_id",
    [
        "clapper:cancel:",
        "clapper:cancel:" + "g" * 32,
        "clapper:burn:" + "0" * 32,
        "other:cancel:" + "0" * 32,
        "clapper:cancel:" + "0" * 33,
    ],
)
def test_the_ids_of_other_buttons_do_not_match(custom_id: str) -> None:
    assert re.fullmatch(TEMPLATE, custom_id) is None

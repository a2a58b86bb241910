from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.delivery.views.card import CardRenderer
from bot.texts import Texts

if TYPE_CHECKING:
    from tests.support.fakes.clock import Clock


@pytest.fixture
def cards(clock: Clock) -> CardRenderer:
    return CardRenderer(Texts.load(), free_backends=frozenset({"storyboard"}), clock=clock)

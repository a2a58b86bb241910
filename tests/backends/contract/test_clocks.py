"""The provider's times are compared with each other, never with our clock."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from bot.errors import BackendError, WebhookError
from tests.support.providers.openai_setup import NOW
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from tests.support.providers.contract_world import World

AHEAD = 7 * 60


@pytest.fixture
async def ahead(world: World) -> VideoBackend:
    """Connect an adapter whose clock is seven minutes ahead of the provider's."""
    return world.connect(clock=lambda: NOW + AHEAD)


async def test_a_pause_until_a_date_counts_by_the_providers_clock(
    world: World, ahead: VideoBackend
) -> None:
    date = {"Retry-After": formatdate(NOW + 90, usegmt=True)}
    world.api.add_faults("retrieve", Fault(status=503, headers=date, body={}))
    with pytest.raises(BackendError) as caught:
        await ahead.poll("video_1")
    assert caught.value.retry_after == 90


async def test_the_end_of_a_clip_counts_by_the_providers_clock(
    world: World, ahead: VideoBackend
) -> None:
    ref = await world.submit()
    world.api.finish(ref)
    world.api.shape = lambda job: job | {"expires_at": NOW + 3600}
    assert (await ahead.poll(ref)).expires_in == 3600


async def test_a_webhook_is_fresh_by_the_clock_of_the_provider_that_signed_it(
    world: World,
) -> None:
    backend = world.connect(clock=lambda: NOW + AHEAD, webhook_secrets=world.entry.secrets[:1])
    ref = await world.submit()
    await backend.poll(ref)
    webhook = backend.parse_webhook(*world.entry.webhook(ref, at=NOW), now=NOW + AHEAD)
    assert webhook is not None
    with pytest.raises(WebhookError):
        backend.parse_webhook(*world.entry.webhook(ref, at=NOW - AHEAD), now=NOW + AHEAD)

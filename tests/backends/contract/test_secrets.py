"""Keys and other secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import ErrorKind
from tests.support.providers.openai_setup import KEY
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    import pytest

    from tests.support.providers.contract_world import World


async def test_a_refused_key_is_in_no_message(world: World) -> None:
    async with world.entry.open(world.clip, key="another") as strict:
        world.backend = world.connect(strict.base_url)
        for error in (await world.refused(), await world.lost("v1")):
            assert error.kind is ErrorKind.AUTH
            assert KEY not in str(error)
            assert "***" in error.message


async def test_secrets_are_in_no_representation(world: World) -> None:
    secrets = world.entry.secrets
    shown = repr(world.connect(**({"webhook_secrets": secrets} if secrets else {})))
    assert not [secret for secret in (KEY, *secrets) if secret in shown]


async def test_a_long_message_is_cut_and_loses_the_secrets_of_links(world: World) -> None:
    text = "see https://cdn.example/a.mp4?sig=secret\n\x07" + "x" * 10_000
    world.api.add_faults("create", Fault(status=400, body={"error": {"message": text}}))
    message = (await world.refused()).message
    assert message.startswith("HTTP 400 see https://cdn.example/a.mp4?... x")
    assert len(message) < 400


async def test_without_a_key_none_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
    for name in (*names, "OPENROUTER_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "sk-from-the-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    world.backend = world.connect(api_key=None)
    await world.backend.cancel((await world.finished()).ref)
    assert len(world.api.calls) >= 2
    for call in world.api.calls:
        assert world.api.key_in(call.headers) is None
        assert "Authorization" not in call.headers
        assert "sk-from-the-environment" not in str(call.headers)

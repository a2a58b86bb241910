"""Refusals in the words of providers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from tests.support.providers.refusals import BY_KIND, IN_A_SUCCESS, IN_A_SUCCESS_UNCLEAR
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from tests.support.providers.contract_world import World


async def test_a_refusal_in_a_providers_own_words_has_a_kind(world: World) -> None:
    wrong: list[str] = []
    for kind, refusals in BY_KIND.items():
        for provider, status, body in refusals:
            world.api.add_faults("create", Fault(status=status, body=body))
            error = await world.refused()
            if (type(error), error.kind) != (BackendError, kind):
                wrong.append(f"{provider} {status}: {error.kind}, not {kind}")
    assert wrong == []


async def test_a_failed_job_in_a_providers_own_words_has_a_kind(world: World) -> None:
    ref = await world.submit()
    wrong: list[str] = []
    for kind in (ErrorKind.MODERATED, ErrorKind.BALANCE):
        for provider, status, said in BY_KIND[kind]:
            if status == 451:
                continue  # the status alone says it
            world.api.shape = lambda job, said=said: job | {"status": "failed", "error": said}
            error = (await world.backend.poll(ref)).error
            if error is None or error.kind is not kind:
                wrong.append(f"{provider}: {error}, not {kind}")
    assert wrong == []


async def test_a_success_that_holds_a_known_refusal_is_a_definite_one(world: World) -> None:
    for case, body, kind in IN_A_SUCCESS:
        world.api.add_faults("create", Fault(status=200, body=body))
        error = await world.refused()
        assert (type(error), error.kind) == (BackendError, kind), case
    for case, body in IN_A_SUCCESS_UNCLEAR:
        world.api.add_faults("create", Fault(status=200, body=body))
        assert isinstance(await world.refused(), UnconfirmedSubmitError), case


async def test_the_words_of_the_prompt_are_not_the_providers(world: World) -> None:
    prompt = "a banker whose balance is insufficient, by content policy"
    world.entry = replace(world.entry, request=replace(world.entry.request, prompt=prompt))
    for status, kind in ((400, ErrorKind.INVALID), (403, ErrorKind.UNEXPLAINED)):
        body = {"error": {"message": f"Can't make: {prompt}!"}}
        world.api.add_faults("create", Fault(status=status, body=body))
        assert (await world.refused()).kind is kind, status

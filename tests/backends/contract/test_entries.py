from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import aiohttp

from bot.settings.fields import Settings
from tests.support.providers.contract import ENTRIES
from tests.support.providers.stand_in import Fault
from tests.support.providers.videos_api import VideosApi


def test_every_backend_has_an_entry() -> None:
    backends = {*get_args(Settings.model_fields["video_backend"].annotation)}
    # The embedded renderer speaks the Videos API.
    assert {entry.name for entry in ENTRIES} == backends


def test_each_exception_of_a_backend_names_a_test_and_a_reason() -> None:
    modules = Path(__file__).parent.glob("test_*.py")
    tests = {
        test
        for module in modules
        for test in re.findall(r"async def test_(\w+)", module.read_text(encoding="utf-8"))
    }
    for entry in ENTRIES:
        for quirk, reason in entry.lacks.items():
            assert quirk in tests
            assert len(reason) > 20, quirk


class OtherWords(VideosApi):
    """A service whose jobs have a `phase`."""

    def in_dialect(self, answer: object) -> object:
        if not isinstance(answer, dict) or "status" not in answer:
            return answer
        fields = dict(answer)
        return {"phase": fields.pop("status"), **fields}


async def test_a_stand_in_says_in_its_dialect_what_a_test_orders() -> None:
    async with OtherWords() as api, aiohttp.ClientSession(f"{api.base_url}/") as session:

        async def ask() -> dict[str, object]:
            async with session.get("videos/v1") as response:
                return await response.json()

        api.jobs["v1"] = {"id": "v1", "status": "queued"}
        api.shape = lambda job: job | {"status": "done"}
        assert await ask() == {"id": "v1", "phase": "done"}
        ordered = {"id": "v1", "status": "failed"}, {"error": "no"}
        api.add_faults("retrieve", *(Fault(status=500, body=body) for body in ordered))
        assert [await ask(), await ask()] == [{"id": "v1", "phase": "failed"}, {"error": "no"}]

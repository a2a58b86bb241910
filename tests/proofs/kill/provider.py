"""HostileVideosApi: a Videos API that loses answers, lists, ids and clips."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.providers.stand_in import Refusal
from tests.support.providers.videos_api import VideosApi, refusal

if TYPE_CHECKING:
    from random import Random

    from aiohttp import web

# The share of requests that go wrong in each way.
_CHARGED_500 = 0.25
_UNCHARGED_500 = 0.08
_LOST_ANSWER = 0.08
_ID_OF_ENDED = 0.10
_ID_OF_OPEN = 0.02
_EMPTY_LIST = 0.35
_HIDDEN = 0.30
_FAILED = 0.15
_REFUNDED = 0.5
_CHEAPER = 0.3
_COST_TOLD = 0.5
# The price of a clip, and of one that costs less than the price, in micro-dollars.
PRICE = 800_000
_LOWER_PRICE = 650_000
_MICROS = 1_000_000
# A job that is hidden answers 404 to this many requests.
_HIDDEN_REQUESTS = 4
_SECONDS = (0.2, 1.2)
_SERVER_ERROR = {"error": {"message": "Internal error", "type": "server_error", "code": None}}


@dataclass(frozen=True, kw_only=True)
class Charge:
    """An order that the provider has charged for; `ref` may have belonged to an earlier one."""

    ref: str
    prompt: str


class HostileVideosApi(VideosApi):
    """A Videos API whose create, list, retrieve and content go wrong at random, until `calm`.

    `charges`: every order that was charged. `lost`: the prompts whose job another job replaced
    under the same id, so that their clips do not exist any more. `failed`: the prompts whose job
    failed. `billed`: what each prompt costs in micro-dollars. `faults`: how often each went wrong.
    """

    def __init__(self, *, random: Random, **options: Any) -> None:
        super().__init__(**options)
        self.random = random
        self.calm = False
        self.charges: list[Charge] = []
        self.lost: set[str] = set()
        self.failed: set[str] = set()
        self.billed: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._hidden: Counter[str] = Counter()
        self._made = self.new_id
        self.new_id = self._pick_id

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if self._happens(_UNCHARGED_500, "500, not charged"):
            raise Refusal(500, _SERVER_ERROR)
        answer = await super()._create(request)
        ref = self.creates[-1]
        job = self.jobs[ref]
        self.charges.append(Charge(ref=ref, prompt=job["prompt"]))
        self.billed[job["prompt"]] += PRICE
        self._hidden[ref] = _HIDDEN_REQUESTS if self._happens(_HIDDEN, "404 for a while") else 0
        timer = asyncio.create_task(self._end(job), name=f"job {ref}")
        self.timers.add(timer)
        timer.add_done_callback(self.timers.discard)
        if self._happens(_CHARGED_500, "500, charged"):
            raise Refusal(500, _SERVER_ERROR)
        if self._happens(_LOST_ANSWER, "no answer, charged") and request.transport is not None:
            request.transport.abort()
        return answer

    async def _list(self, request: web.Request) -> web.StreamResponse:
        if not self._happens(_EMPTY_LIST, "empty list"):
            return await super()._list(request)
        kept, self.jobs = self.jobs, {}
        try:
            return await super()._list(request)
        finally:
            self.jobs = kept

    def _known(self, request: web.Request) -> dict[str, Any]:
        job = super()._known(request)
        if request.method == "GET" and self._hidden[job["id"]] > 0 and not self.calm:
            self._hidden[job["id"]] -= 1
            raise refusal(404, "not_found", f"Video with id '{job['id']}' not found.")
        return job

    async def _end(self, job: dict[str, Any]) -> None:
        await asyncio.sleep(self.random.uniform(*_SECONDS))
        if self.jobs.get(job["id"]) is job:
            if self._happens(_FAILED, "failed"):
                self.failed.add(job["prompt"])
                self.fail(job["id"], "internal_error", "The server broke down.")
                cost = 0 if self._happens(_REFUNDED, "failed, not charged") else PRICE
            else:
                self.finish(job["id"])
                cost = PRICE
            self._bill(job, cost)
            await self._announce(job["id"])

    def _bill(self, job: dict[str, Any], cost: int) -> None:
        """Charge `cost` for an ended job. Only jobs whose cost is told can cost less."""
        if self._happens(_COST_TOLD, "cost told"):
            if cost and self._happens(_CHEAPER, "cost told, below the price"):
                cost = _LOWER_PRICE
            job["usage"] = {"cost": cost / _MICROS}
        self.billed[job["prompt"]] += cost - PRICE

    def _pick_id(self) -> str:
        """Return a new id, or now and then one that another job has or had."""
        open_ids = [ref for ref, job in self.jobs.items() if job["status"] != "completed"]
        ended = [ref for ref, job in self.jobs.items() if job["status"] == "completed"]
        ref = self._made()
        if open_ids and self._happens(_ID_OF_OPEN, "the id of an open job"):
            ref = self.random.choice(open_ids)
        elif ended and self._happens(_ID_OF_ENDED, "the id of an ended job"):
            ref = self.random.choice(ended)
        if ref in self.jobs:
            # At the end of the dict, as the newest in the list.
            self.lost.add(self.jobs.pop(ref)["prompt"])
        return ref

    def _happens(self, share: float, name: str) -> bool:
        happens = not self.calm and self.random.random() < share
        self.faults[name] += happens
        return happens

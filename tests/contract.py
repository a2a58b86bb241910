"""The backends that keep the contract of tests/test_contract.py: one entry for each.

An entry says how its adapter is made, and how its stand-in answers in its dialect. What the dialect
can't have is named with its reason: the report shows it, and nothing is skipped.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.backends.gemini.adapter import Gemini
from bot.backends.openai_videos import OpenAIVideos
from bot.backends.openrouter.adapter import OpenRouter
from bot.backends.transport.base import Timeouts
from tests.gemini_api import GeminiApi
from tests.openai_setup import KEY, NOW, REQUEST, SECRET, TLS
from tests.openrouter_api import OpenRouterApi
from tests.openrouter_api import sign as sign_callback
from tests.videos_api import VideosApi, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.backends.base import VideoBackend
    from bot.model import VideoRequest
    from tests.stand_in import StandIn

Webhook = tuple["dict[str, str]", bytes]

NO_WEBHOOK = "its news are asked for: no webhook of it is taken"
NO_LIST = "it has no list of jobs"
OLD_SECRET = "whsec_" + base64.b64encode(b"the key before that one, also made").decode()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One column of the report.

    `event` returns the body of a webhook about a job, and `signed` its headers; without `secrets`
    there are none. `says` returns what must stand in a create. `lacks` has the tests that the
    dialect can't have (without `test_`), each with the reason.
    """

    name: str
    stand_in: Callable[..., StandIn]
    adapter: Callable[..., VideoBackend]
    event: Callable[[str, str], dict[str, Any]] = lambda ref, ending: {"id": ref, "type": ending}
    signed: Callable[[str, int, bytes], dict[str, str]] = lambda *_: {}
    secrets: tuple[str, ...] = ()
    request: VideoRequest = REQUEST
    says: Callable[[VideoRequest], tuple[str | None, ...]] = lambda request: (
        request.prompt,
        request.model,
        request.size,
    )
    lacks: Mapping[str, str] = field(default_factory=dict[str, str])

    def open(self, clip: Path, **settings: Any) -> StandIn:
        """Return a stand-in that makes this clip."""
        return self.stand_in(clip=clip, clock=lambda: NOW, **settings)

    def connect(self, base_url: str, **settings: Any) -> VideoBackend:
        """Return the adapter, which is soon tired of waiting."""
        names = {"submit", "answer", "fetch", "content_pauses"} & settings.keys()
        waits = {name: settings.pop(name) for name in names}
        timeouts = Timeouts(**{"content_pauses": ()} | waits)
        given = {"api_key": KEY, "timeouts": timeouts, "tls": TLS} | settings
        return self.adapter(base_url=base_url, clock=lambda: NOW, **given)

    def webhook(
        self, ref: str, *, ending: str = "completed", at: float = NOW, secret: str | None = None
    ) -> Webhook:
        """Return headers and body of a webhook about a job's end."""
        body = json.dumps(self.event(ref, ending)).encode()
        return self.signed(secret or next(iter(self.secrets), ""), int(at), body), body


def _openai_event(ref: str, ending: str) -> dict[str, Any]:
    return {
        "id": f"evt_{ref}",
        "object": "event",
        "created_at": int(NOW),
        "type": f"video.{ending}",
        "data": {"id": ref},
    }


OPENAI = Entry(
    name="openai",
    stand_in=VideosApi,
    adapter=OpenAIVideos,
    event=_openai_event,
    signed=lambda secret, at, body: sign(secret, "wh_1", at, body),
    secrets=(SECRET, OLD_SECRET),
)


def _callback(secret: str, at: int, body: bytes) -> dict[str, str]:
    return {
        "X-OpenRouter-Signature": sign_callback(secret, at, body),
        "X-OpenRouter-Idempotency-Key": "video_1-completed",
        "Content-Type": "application/json",
    }


OPENROUTER = Entry(
    name="openrouter",
    stand_in=OpenRouterApi,
    adapter=OpenRouter,
    event=OpenRouterApi(clock=lambda: NOW).event,
    signed=_callback,
    secrets=("or-secret-made-up-1", "or-secret-made-up-0"),
    request=replace(REQUEST, model="google/veo-3.1"),
    lacks={
        "a_422_for_json_is_a_clear_no": "JSON is all that it takes, and it takes it always",
        "a_job_whose_answer_was_lost_is_found_in_the_list": NO_LIST,
        "a_job_that_was_never_made_is_known_to_be_absent": NO_LIST,
        "a_job_can_be_stopped": "it has no route that stops a job",
    },
)

GEMINI = Entry(
    name="gemini",
    stand_in=GeminiApi,
    adapter=Gemini,
    request=replace(REQUEST, model="gemini-omni-1.2-flash"),
    says=lambda request: (request.prompt, request.model, "16:9", "720p", f"{request.seconds}s"),
    lacks={
        "a_422_for_json_is_a_clear_no": "JSON is all that it takes, and it takes it always",
        "a_job_whose_answer_was_lost_is_found_in_the_list": NO_LIST,
        "a_job_that_was_never_made_is_known_to_be_absent": NO_LIST,
        **dict.fromkeys(
            (
                "a_job_that_a_webhook_named_is_looked_up_by_itself",
                "a_right_webhook_names_its_job",
                "a_forged_webhook_is_refused",
                "no_header_of_a_webhook_can_do_more_than_be_refused",
                "a_stale_webhook_is_refused",
                "a_replayed_webhook_is_known_by_its_id",
                "both_secrets_count_while_they_are_rotated",
                "a_signed_body_that_is_no_event_is_refused",
                "a_webhook_about_anything_else_is_none",
            ),
            NO_WEBHOOK,
        ),
    },
)

ENTRIES: tuple[Entry, ...] = (OPENAI, OPENROUTER, GEMINI)

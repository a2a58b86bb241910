"""The backends that are tested with tests/backends/contract/: one entry for each.

An entry creates a backend's adapter and its stand-in. It also names the tests that do not apply to
the backend, each with a reason: the report shows these, and no test is skipped.
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
from tests.support.providers.gemini_api import GeminiApi
from tests.support.providers.openai_setup import KEY, NOW, REQUEST, SECRET, over_the_sdk
from tests.support.providers.openrouter_api import OpenRouterApi
from tests.support.providers.openrouter_api import sign as sign_callback
from tests.support.providers.videos_api import VideosApi, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.backends.base import VideoBackend
    from bot.model import VideoRequest
    from tests.support.providers.video_stand_in import VideoStandIn

Webhook = tuple["dict[str, str]", bytes]

NO_WEBHOOK = "it is only polled: its webhooks are refused"
NO_LIST = "it has no list of jobs"
ONLY_JSON = "it accepts only JSON, which it never refuses"
WITHOUT_WEBHOOKS = dict.fromkeys(
    (
        "a_job_that_a_webhook_named_is_looked_up",
        "a_valid_webhook_names_its_job",
        "a_webhook_is_fresh_by_the_clock_of_the_provider_that_signed_it",
        "a_forged_webhook_is_refused",
        "an_odd_header_of_a_webhook_causes_no_other_error",
        "a_stale_webhook_is_refused",
        "a_replayed_webhook_has_the_same_id",
        "both_secrets_are_accepted_while_they_are_rotated",
        "a_signed_body_that_is_not_an_event_is_refused",
        "a_webhook_about_anything_else_is_ignored",
    ),
    NO_WEBHOOK,
)
WITHOUT_A_LIST = dict.fromkeys(
    (
        "a_job_whose_answer_was_lost_is_found_in_the_list",
        "a_job_that_was_never_made_is_known_to_be_absent",
        "a_page_of_the_list_tells_what_a_poll_tells",
    ),
    NO_LIST,
)
OLD_SECRET = "whsec_" + base64.b64encode(b"the key before that one, also made").decode()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A backend, which is one column of the report.

    `event` returns the body of a webhook about a job, and `signed` its headers; without `secrets`
    there are no webhooks. `says` returns the values that a create has to contain. `lacks` maps the
    tests that do not apply (without `test_`) to the reason: see `WITHOUT_WEBHOOKS`.
    """

    name: str
    stand_in: Callable[..., VideoStandIn]
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

    def open(self, clip: Path, **settings: Any) -> VideoStandIn:
        """Create a stand-in whose jobs result in this clip."""
        return self.stand_in(clip=clip, clock=lambda: NOW, **settings)

    def connect(self, base_url: str, **settings: Any) -> VideoBackend:
        """Create the adapter; it does not wait between attempts to download."""
        names = {"submit", "answer", "fetch", "content_pauses"} & settings.keys()
        waits = {name: settings.pop(name) for name in names}
        timeouts = Timeouts(**{"content_pauses": ()} | waits)
        given = {"api_key": KEY, "timeouts": timeouts, "clock": lambda: NOW} | settings
        return self.adapter(base_url=base_url, **given)

    def webhook(
        self, ref: str, *, ending: str = "completed", at: float = NOW, secret: str | None = None
    ) -> Webhook:
        """Return the headers and body of a webhook about a job's end."""
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
    adapter=over_the_sdk,
    event=_openai_event,
    signed=lambda secret, at, body: sign(secret, "wh_1", at, body),
    secrets=(SECRET, OLD_SECRET),
)

# The adapter of the storyboard is the same, but sends through the transport of all others.
STORYBOARD = replace(OPENAI, name="storyboard", adapter=OpenAIVideos)


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
        "a_422_for_json_is_a_definite_refusal": ONLY_JSON,
        **WITHOUT_A_LIST,
        "a_job_can_be_cancelled": "it has no route that cancels a job",
    },
)

GEMINI = Entry(
    name="gemini",
    stand_in=GeminiApi,
    adapter=Gemini,
    request=replace(REQUEST, model="gemini-omni-1.2-flash"),
    says=lambda request: (request.prompt, request.model, "16:9", "720p", f"{request.seconds}s"),
    lacks={
        "a_422_for_json_is_a_definite_refusal": ONLY_JSON,
        "a_link_helps_whatever_the_content_is_refused_for": "it has no content beside the link",
        **WITHOUT_A_LIST,
        **WITHOUT_WEBHOOKS,
    },
)

ENTRIES: tuple[Entry, ...] = (OPENAI, STORYBOARD, OPENROUTER, GEMINI)

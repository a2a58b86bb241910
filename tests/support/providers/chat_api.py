"""A stand-in for a server with OpenAI's Chat Completions and moderation APIs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from tests.support.providers.stand_in import Refusal, StandIn, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.providers.stand_in import Handler

MODEL = "gpt-test"
MODERATION_MODEL = "omni-moderation-latest"
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
BRIEF: dict[str, Any] = {
    "subject": None,
    "setting": "A quiet harbour.",
    "camera": "A slow push in.",
    "light": "Soft morning light.",
    "motion": "Waves roll gently.",
}


def refusal(status: int, code: str, message: str) -> Refusal:
    """Return an error in OpenAI's format."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Refusal(status, {"error": error})


class ChatApi(StandIn):
    """A server that answers chats with the fields of `brief`, and flags the words in `flagged`.

    `content` replaces the text of a chat's answer. `flagged` maps each word to its category.
    """

    prefix: ClassVar[str] = "/v1"

    def __init__(self, *, key: str | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(key=key, clock=clock)
        self.brief: dict[str, Any] = dict(BRIEF)
        self.content: str | None = None
        self.flagged: dict[str, str] = {}

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """Return (method, path, operation, handler) for each route."""
        return [
            ("POST", "/chat/completions", "chat", self._chat),
            ("POST", "/moderations", "moderate", self._moderate),
            ("GET", "/models", "models", self._models),
        ]

    def refused_key(self, sent: str) -> Refusal:
        """Return the answer to a wrong key."""
        return refusal(401, "invalid_api_key", f"Incorrect API key provided: {sent}")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        fields = await fields_of(request)
        _check_model(fields, MODEL)
        wanted = fields["response_format"]["json_schema"]
        if not wanted["strict"] or wanted["schema"]["additionalProperties"] is not False:
            raise refusal(400, "invalid_schema", "a strict schema allows nothing else")
        names = wanted["schema"]["required"]
        if set(names) != set(wanted["schema"]["properties"]):
            raise refusal(400, "invalid_schema", "a strict schema requires all of it")
        content = json.dumps({name: self.brief.get(name) for name in names})
        message = {
            "role": "assistant",
            "content": content if self.content is None else self.content,
            "refusal": None,
            "annotations": [],
        }
        return web.json_response(
            {
                "id": f"chatcmpl-{len(self.calls)}",
                "object": "chat.completion",
                "created": int(self.clock()),
                "model": MODEL,
                "choices": [
                    {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
            }
        )

    async def _moderate(self, request: web.Request) -> web.StreamResponse:
        fields = await fields_of(request)
        _check_model(fields, MODERATION_MODEL)
        given = fields["input"]
        texts = [given] if isinstance(given, str) else given
        return web.json_response(
            {
                "id": f"modr-{len(self.calls)}",
                "model": MODERATION_MODEL,
                "results": [self._verdict(text) for text in texts],
            }
        )

    def _verdict(self, text: str) -> dict[str, Any]:
        found = {category for word, category in self.flagged.items() if word in text.split()}
        return {
            "flagged": bool(found),
            "categories": {name: name in found for name in CATEGORIES},
            "category_scores": {name: 0.97 if name in found else 0.0001 for name in CATEGORIES},
            "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
        }

    async def _models(self, _: web.Request) -> web.StreamResponse:
        models = [
            {"id": name, "object": "model", "created": 1, "owned_by": "tests"}
            for name in (MODEL, MODERATION_MODEL)
        ]
        return web.json_response({"object": "list", "data": models})


def _check_model(fields: dict[str, Any], model: str) -> None:
    if fields.get("model") != model:
        raise refusal(404, "model_not_found", f"The model {fields.get('model')} does not exist")

"""A moderator that uses OpenAI's moderation API, which assigns each text to categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bot.backends.json_service import JsonService
from bot.errors import BackendError, ErrorKind
from bot.moderation.base import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SECONDS = 10.0
_MODEL = "omni-moderation-latest"
# Names such as "sexual/minors" are subcategories. A subcategory that is not listed here counts as
# its category.
_REASONS: Mapping[str, Reason] = {
    "sexual/minors": Reason.MINORS,
    "self-harm": Reason.SELF_HARM,
    "hate": Reason.HATE,
    "harassment": Reason.HARASSMENT,
    "illicit": Reason.ILLICIT,
    "sexual": Reason.SEXUAL,
    "violence": Reason.VIOLENCE,
}
_GRAVITY = tuple(Reason)


class OpenAIModerator:
    """Sends one request for each check. The response must arrive within `seconds`."""

    def __init__(self, *, base_url: str, api_key: str | None, seconds: float = _SECONDS) -> None:
        self._service = JsonService(
            name="moderation", base_url=base_url, api_key=api_key, seconds=seconds
        )

    async def check(self, texts: Sequence[str]) -> Reason | None:
        """Return the most serious reason to refuse the texts, or None if all texts pass."""
        answer = await self._service.post("/moderations", {"model": _MODEL, "input": list(texts)})
        verdicts = _verdicts_in(answer)
        if len(verdicts) != len(texts):
            raise BackendError(ErrorKind.TRANSIENT, "the answer does not judge every text")
        found = {reason for verdict in verdicts for reason in _reasons(verdict)}
        return min(found, key=_GRAVITY.index, default=None)

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


def _verdicts_in(answer: object) -> list[object]:
    results = _mapping(answer).get("results")
    if not isinstance(results, list):
        raise BackendError(ErrorKind.TRANSIENT, "the answer holds no verdicts")
    return cast("list[object]", results)


def _reasons(verdict: object) -> Iterator[Reason]:
    fields = _mapping(verdict)
    flagged = fields.get("flagged")
    if not isinstance(flagged, bool):
        raise BackendError(ErrorKind.TRANSIENT, "the answer holds an unreadable verdict")
    if flagged:
        categories = _mapping(fields.get("categories"))
        # A text is also refused if it is flagged in an unknown category, or in no category at all.
        named = [name for name, holds in categories.items() if holds is True]
        yield from map(_reason, named or [""])


def _reason(category: str) -> Reason:
    parent = category.partition("/")[0]
    return _REASONS.get(category) or _REASONS.get(parent, Reason.OTHER)


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}

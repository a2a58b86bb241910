"""Records when interactions arrive, because Discord expects a response within 3 seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    import discord

_INTERACTION = "INTERACTION_CREATE"
_MOST_INTERACTIONS = 1000


@dataclass(kw_only=True, slots=True)
class _Arrival:
    at: float
    is_claimed: bool = False


class Arrivals:
    """Records when each interaction was read, before a task begins to handle it.

    `steady`: a clock that always runs forward, even when the machine's clock is set back.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._arrivals: dict[int, _Arrival] = {}

    def watch(self, parsers: MutableMapping[str, Callable[[Any], None]]) -> None:
        """Record every interaction that `parsers` parse from now on."""
        parse = parsers[_INTERACTION]

        def record_and_parse(data: Any) -> None:  # noqa: ANN401 - any JSON value may arrive
            match data:
                case {"id": str() as number} if number.isdecimal():
                    self.record(int(number))
                case _:
                    pass  # the parser itself refuses malformed data
            parse(data)

        parsers[_INTERACTION] = record_and_parse

    def record(self, interaction_id: int) -> None:
        """Record that an interaction was read now. A repeated interaction keeps its first time."""
        self._arrival(interaction_id)

    def age(self, interaction: discord.Interaction[Any]) -> float:
        """Return the seconds since an interaction was read."""
        return self._steady() - self._arrival(interaction.id).at

    def claim(self, interaction: discord.Interaction[Any]) -> bool:
        """Return True at the first call with an interaction, and False at further calls.

        Discord may send the same interaction twice.
        """
        arrival = self._arrival(interaction.id)
        is_first, arrival.is_claimed = not arrival.is_claimed, True
        return is_first

    def _arrival(self, interaction_id: int) -> _Arrival:
        if interaction_id not in self._arrivals:
            while len(self._arrivals) >= _MOST_INTERACTIONS:
                del self._arrivals[next(iter(self._arrivals))]
            self._arrivals[interaction_id] = _Arrival(at=self._steady())
        return self._arrivals[interaction_id]

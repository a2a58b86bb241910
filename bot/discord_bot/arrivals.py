"""Arrivals: the times at which interactions were read; a response is due 3 seconds later."""

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

    `steady` is a clock that is never set.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._arrivals: dict[int, _Arrival] = {}

    def watch(self, parsers: MutableMapping[str, Callable[[Any], None]]) -> None:
        """Record each interaction that is parsed from now on."""
        parse = parsers[_INTERACTION]

        def record_and_parse(data: Any) -> None:  # noqa: ANN401 - any JSON value may arrive
            match data:
                case {"id": str() as number} if number.isdecimal():
                    self.record(int(number))
                case _:
                    pass  # the parser refuses it
            parse(data)

        parsers[_INTERACTION] = record_and_parse

    def record(self, interaction_id: int) -> None:
        """Record that an interaction was read, unless it was read before."""
        self._arrival(interaction_id)

    def age(self, interaction: discord.Interaction[Any]) -> float:
        """Return the seconds since an interaction was read."""
        return self._steady() - self._arrival(interaction.id).at

    def claim(self, interaction: discord.Interaction[Any]) -> bool:
        """Return True only once for each interaction, because Discord may send it again."""
        arrival = self._arrival(interaction.id)
        is_first, arrival.is_claimed = not arrival.is_claimed, True
        return is_first

    def _arrival(self, interaction_id: int) -> _Arrival:
        if interaction_id not in self._arrivals:
            while len(self._arrivals) >= _MOST_INTERACTIONS:
                del self._arrivals[next(iter(self._arrivals))]
            self._arrivals[interaction_id] = _Arrival(at=self._steady())
        return self._arrivals[interaction_id]

"""Reads the formats and prices of OpenRouter's models from its list of models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MAX_MODELS = 2000
_MAX_LISTED = 12
_FOUR_K = 2160
_CENT = 0.01
# Some models are priced by tokens. A clip has width x height x frames / 1024 tokens.
_FRAMES_PER_SECOND = 24
_PIXELS_PER_TOKEN = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelOffer:
    """A model in OpenRouter's list.

    `seconds` and `sizes`: the supported lengths and sizes, or empty if the list does not say.

    `skus`: the prices, keyed by OpenRouter's names for them.
    """

    names: tuple[str, ...]
    seconds: tuple[int, ...]
    sizes: tuple[str, ...]
    has_sound: bool
    skus: Mapping[str, float]

    def second_price(self, size: str) -> float | None:
        """Estimate the price of a second of video in US dollars.

        Returns None if the list has no suitable price.
        """
        width, height = (int(side) for side in size.split("x"))
        rate = self._per_second(min(width, height))
        if rate is None and (per_token := self._per_token()) is not None:
            rate = per_token * width * height * _FRAMES_PER_SECOND / _PIXELS_PER_TOKEN
        return rate

    def _per_second(self, lines: int) -> float | None:
        resolution = "4k" if lines == _FOUR_K else f"{lines}p"
        for stem, unit in (
            (f"duration_seconds_{self._sound}", 1.0),
            ("text_to_video_duration_seconds", 1.0),
            ("duration_seconds", 1.0),
            ("cents_per_second_output", _CENT),
            ("cents_per_video_output_second", _CENT),
        ):
            for name in (f"{stem}_{resolution}", stem):
                if name in self.skus:
                    return self.skus[name] * unit
        return None

    def _per_token(self) -> float | None:
        return self.skus.get(f"video_tokens_{self._sound}", self.skus.get("video_tokens"))

    @property
    def _sound(self) -> str:
        return "with_audio" if self.has_sound else "without_audio"


def offers_in(answer: object) -> tuple[ModelOffer, ...]:
    """Return the models in OpenRouter's list. Malformed entries are skipped."""
    entries = _mapping(answer).get("data")
    found = cast("list[object]", entries) if isinstance(entries, list) else []
    offers = (_offer(_mapping(entry)) for entry in found[:_MAX_MODELS])
    return tuple(offer for offer in offers if offer.names)


def check(
    offers: tuple[ModelOffer, ...], *, model: str | None, seconds: int, size: str
) -> ModelOffer:
    """Return the list entry of a model.

    Raises StartupError if the model isn't listed, or if the model can't make clips of this length
    and size.
    """
    for offer in offers:
        if model in offer.names:
            if offer.seconds and seconds not in offer.seconds:
                raise StartupError(
                    f"VIDEO_SECONDS: {model} makes clips of {_listed(offer.seconds)} seconds, "
                    f"not {seconds}."
                )
            if offer.sizes and size not in offer.sizes:
                raise StartupError(f"VIDEO_SIZE: {model} makes {_listed(offer.sizes)}, not {size}.")
            return offer
    names = sorted(offer.names[0] for offer in offers)
    raise StartupError(f"VIDEO_MODEL: OpenRouter has no {model}; it has {_listed(names)}.")


def _offer(fields: Mapping[str, object]) -> ModelOffer:
    names = (fields.get("id"), fields.get("canonical_slug"))
    return ModelOffer(
        names=tuple(name for name in names if isinstance(name, str) and name),
        seconds=tuple(sorted(set(_lengths(fields)))),
        sizes=tuple(
            value for value in _items(fields.get("supported_sizes")) if isinstance(value, str)
        ),
        has_sound=fields.get("generate_audio") is True,
        skus=dict(_prices(_mapping(fields.get("pricing_skus")))),
    )


def _lengths(fields: Mapping[str, object]) -> Iterator[int]:
    for value in _items(fields.get("supported_durations")):
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            yield value


def _prices(skus: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    for name, value in skus.items():
        try:
            price = float(value) if isinstance(value, str | int | float) else math.nan
        except (ValueError, OverflowError):
            continue
        if math.isfinite(price) and price >= 0:
            yield name, price


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _listed(values: Iterable[object]) -> str:
    texts = [str(value) for value in values]
    listed = ", ".join(texts[:_MAX_LISTED])
    return f"{listed}, ..." if len(texts) > _MAX_LISTED else listed

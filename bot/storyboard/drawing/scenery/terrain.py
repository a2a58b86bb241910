"""Computes the random outlines of hills and mountains."""

from __future__ import annotations

import math
from itertools import chain, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_ROUGHNESS = 0.5
_DETAILS = 5  # how often the number of points on the outline is doubled


def soft_line(
    random: Random, base: float, height: float, length: float
) -> Callable[[float], float]:
    """Return a function from x to the height of hills around `base`.

    The outline is the sum of three waves.
    """
    parts = [
        (
            height * share,
            math.tau / (length * share * random.uniform(0.8, 1.2)),
            random.random() * math.tau,
        )
        for share in (1.0, 0.55, 0.27)
    ]
    return lambda x: base - sum(a * math.sin(x * k + phase) for a, k, phase in parts) * 0.55


def jagged_line(
    random: Random, base: float, height: float, length: float, width: float
) -> Callable[[float], float]:
    """Return a function from x to the height of mountains above `base`.

    The outline is computed by midpoint displacement.
    """
    count = max(2, round(width / length))
    values = [random.random() * (0.25 if number % 2 else 1.0) for number in range(count * 2 + 3)]
    for level in range(_DETAILS):
        between = [
            (a + b) / 2 + (random.random() - 0.5) * _ROUGHNESS * 0.55**level
            for a, b in pairwise(values)
        ]
        values = [*chain.from_iterable(zip(values, between, strict=False)), values[-1]]
    scale = (len(values) - 1) / width

    def edge(x: float) -> float:
        place = min(max(0.0, x * scale), len(values) - 1.001)
        index = int(place)
        share = place - index
        return base - height * (values[index] * (1 - share) + values[index + 1] * share)

    return edge

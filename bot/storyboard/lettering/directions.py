"""Orders text that contains scripts of both directions, as defined in UAX #9.

`python-bidi` is not used. It returns the characters in their new order, but shaping needs the
levels of the characters in their original order. Only the implicit rules are needed, because
`clean` removes the control characters of embeddings, overrides and isolates. Tests compare the
results with python-bidi's.
"""

# ruff: noqa: RUF001  # this module contains the punctuation of many scripts

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_T = TypeVar("_T")
_STRONG = {"L": "L", "R": "R", "AL": "R"}
_NUMBERS = frozenset(("EN", "AN"))
_NEUTRALS = frozenset(("B", "S", "WS", "ON"))
# The level of characters, by their class and the paragraph's level. Even levels run to the right.
_IMPLICIT = {"L": (0, 1), "R": (1, 0), "AN": (2, 1), "EN": (2, 1)}
_BRACKETS = dict(
    zip("([{«‹（［｛「『【〈《", ")]}»›）］｝」』】〉》", strict=True),
)
_OPENING = {end: start for start, end in _BRACKETS.items()}


def base_level(text: str) -> int:
    """Return 1 if the first letter with a direction runs from right to left, or 0 otherwise."""
    strong = (_STRONG.get(unicodedata.bidirectional(char)) for char in text)
    return int(next((side for side in strong if side), "L") == "R")


def levels(text: str, base: int) -> list[int]:
    """Return the level of each character. Odd levels run from right to left."""
    classes = _weak([unicodedata.bidirectional(char) or "L" for char in text], "LR"[base])
    classes = _brackets(text, classes, "LR"[base])
    classes = _neutral(classes, "LR"[base])
    found = [base + _IMPLICIT[kind][base] for kind in classes]
    # Spaces at the end run in the direction of the paragraph (rule L1).
    for index in range(len(text.rstrip()), len(text)):
        found[index] = base
    return found


def visual_order(found: Sequence[int]) -> list[int]:
    """Return the indexes of a line's parts in their order from left to right (rule L2).

    `found`: the level of each part.
    """
    order = list(range(len(found)))
    for level in range(max(found, default=0), 0, -1):
        deep = [found[index] >= level for index in order]
        for start, end in _runs(deep, frozenset((True,))):
            order[start:end] = order[start:end][::-1]
    return order


def _weak(classes: list[str], side: str) -> list[str]:
    """Determine the classes of marks, numbers and separators of numbers (rules W1 to W7)."""
    before = side
    strong = side
    for index, kind in enumerate(classes):
        resolved = before if kind in {"NSM", "BN"} else kind
        if resolved in _STRONG:
            strong = resolved
        if resolved == "EN" and strong == "AL":
            resolved = "AN"
        classes[index] = before = resolved
    _separators(classes)
    strong = side
    for index, kind in enumerate(classes):
        if kind in _STRONG:
            strong = classes[index] = _STRONG[kind]
        elif kind == "EN" and strong == "L":
            classes[index] = "L"
    return classes


def _separators(classes: list[str]) -> None:
    """Determine the classes of signs between numbers and beside them (rules W4 to W6)."""
    for index in range(1, len(classes) - 1):
        before, kind, after = classes[index - 1 : index + 2]
        if before == after and (
            (kind == "ES" and before == "EN") or (kind == "CS" and before in _NUMBERS)
        ):
            classes[index] = before
    for start, end in list(_runs(classes, frozenset(("ET",)))):
        beside = classes[max(0, start - 1) : start] + classes[end : end + 1]
        classes[start:end] = ["EN" if "EN" in beside else "ON"] * (end - start)
    for index, kind in enumerate(classes):
        if kind in {"ES", "CS"}:
            classes[index] = "ON"


def _brackets(text: str, classes: list[str], side: str) -> list[str]:
    """Give both brackets of a pair the direction of the text between them (rule N0)."""
    for start, end in sorted(_pairs(text, classes)):
        inside = {_side(kind) for kind in classes[start + 1 : end]} - {""}
        if side in inside:
            chosen = side
        elif inside:
            before = (_side(kind) for kind in reversed(classes[:start]))
            context = next((strong for strong in before if strong), side)
            chosen = context if context in inside else side
        else:
            continue
        classes[start] = classes[end] = chosen
    return classes


def _pairs(text: str, classes: list[str]) -> Iterator[tuple[int, int]]:
    opened: list[tuple[str, int]] = []
    for index, char in enumerate(text):
        if classes[index] != "ON":
            continue
        if char in _BRACKETS:
            opened.append((char, index))
        elif char in _OPENING:
            matching = [at for at, (start, _) in enumerate(opened) if start == _OPENING[char]]
            if matching:
                yield opened[matching[-1]][1], index
                del opened[matching[-1] :]


def _neutral(classes: list[str], side: str) -> list[str]:
    """Give neutral characters the direction of their neighbours or paragraph (rules N1 and N2)."""
    for start, end in list(_runs(classes, _NEUTRALS)):
        before = _side(classes[start - 1]) if start else side
        after = _side(classes[end]) if end < len(classes) else side
        classes[start:end] = [before if before == after else side] * (end - start)
    return classes


def _side(kind: str) -> str:
    return "R" if kind in _NUMBERS else kind if kind in _STRONG else ""


def _runs(classes: Sequence[_T], wanted: frozenset[_T]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each run of items that are in `wanted`."""
    start = 0
    for is_wanted, group in groupby(list(classes), wanted.__contains__):
        end = start + len(list(group))
        if is_wanted:
            yield start, end
        start = end

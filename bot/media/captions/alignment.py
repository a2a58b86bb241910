"""Finds out when each sentence of a text is spoken in a sound that was made in one piece.

The pauses of the sound are measured. A pause that fits the lengths of the clauses is taken for the
end of a clause. aeneas and other forced aligners are not used, because they need a model or a
voice for each language.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from bot.media.captions.cues import Cue
from bot.media.captions.sentences import split_clauses, spoken_weight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The shortest pause, in seconds, that may separate two phrases.
MIN_PAUSE = 0.1
# The effort is limited: texts of many short sentences are aligned in groups.
_MAX_PHRASES, _MAX_GROUPS = 60, 40
_MIN_SKIPS = 4
# The maximum distance of a phrase's end from its place if all phrases are spoken equally fast: a
# share of the length of the speech, and a number of seconds to add.
_MAX_DRIFT, _MAX_DRIFT_SECONDS = 0.2, 4.0
# The usual difference between the length of a phrase and its expected length: a share of the
# expected length, and a number of seconds to add.
_VARIATION, _VARIATION_SECONDS = 0.15, 0.25
_MAX_VARIATIONS = 6.0
# The costs if a sentence ends without a pause, if a clause ends without a pause, and if a pause is
# shorter than most.
_NO_PAUSE, _NO_CLAUSE_PAUSE, _SHORT_PAUSE = 3.0, 2.0, 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pause:
    """A pause. `spoken`: the seconds of sound before it. `start` and `end` are times."""

    spoken: float
    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Speech:
    """The phrases of a narration, and the pauses of its sound.

    `ends`: 0.0, and then the end of each phrase if all phrases are spoken equally fast. These are
    seconds of sound without the pauses.
    `skipped`: 0.0, and then, for each phrase, the total cost of leaving it and all earlier phrases
    without a pause at the end.
    `pauses`: an empty pause for the beginning of the sound, the pauses, and an empty pause for the
    end of the sound.
    `usual`: the usual length, in seconds, of a pause between two phrases.
    """

    ends: Sequence[float]
    skipped: Sequence[float]
    pauses: Sequence[_Pause]
    usual: float


def align(sentences: Sequence[str], sounds: Sequence[tuple[float, float]]) -> list[Cue]:
    """Return a cue for each sentence of a narration.

    `sounds`: the start and the end of each sound, in seconds, separated by pauses of at least
    `MIN_PAUSE`. Without any, there are no cues.
    """
    if not (sentences and sounds):
        return []
    texts = _grouped(sentences)
    phrases = [split_clauses(text) for text in texts]
    if sum(map(len, phrases)) > _MAX_PHRASES:
        phrases = [[text] for text in texts]
    speech = _speech(phrases, _pauses(sounds))
    spans = list(_spans(speech, _best_path(speech)))
    stops = list(accumulate(map(len, phrases)))
    return [
        Cue(start=spans[stop - len(parts)][0], end=spans[stop - 1][1], text=text)
        for text, parts, stop in zip(texts, phrases, stops, strict=True)
    ]


def _grouped(sentences: Sequence[str]) -> list[str]:
    size = math.ceil(len(sentences) / _MAX_GROUPS)
    return [" ".join(sentences[at : at + size]) for at in range(0, len(sentences), size)]


def _pauses(sounds: Sequence[tuple[float, float]]) -> list[_Pause]:
    """Return the pauses, and an empty pause before the first sound and after the last one."""
    spoken = [0.0, *accumulate(end - start for start, end in sounds)]
    edges = [(sounds[0][0], sounds[0][0])]
    edges += [(before[1], after[0]) for before, after in pairwise(sounds)]
    edges.append((sounds[-1][1], sounds[-1][1]))
    return [
        _Pause(spoken=at, start=start, end=end)
        for at, (start, end) in zip(spoken, edges, strict=True)
    ]


def _speech(phrases: Sequence[Sequence[str]], pauses: Sequence[_Pause]) -> _Speech:
    weights = [spoken_weight(phrase) for parts in phrases for phrase in parts]
    costs = [
        cost for parts in phrases for cost in (*[_NO_CLAUSE_PAUSE] * (len(parts) - 1), _NO_PAUSE)
    ]
    rate = pauses[-1].spoken / sum(weights)
    longest = sorted(pauses[1:-1], key=lambda pause: pause.start - pause.end)
    kept = sorted(longest[: 2 * len(weights) + 40], key=lambda pause: pause.start)
    usual = [pause.end - pause.start for pause in longest[: len(weights) - 1]] or [MIN_PAUSE]
    return _Speech(
        ends=[rate * weight for weight in accumulate(weights, initial=0.0)],
        skipped=list(accumulate(costs, initial=0.0)),
        pauses=[pauses[0], *kept, pauses[-1]],
        usual=usual[len(usual) // 2],
    )


def _best_path(speech: _Speech) -> list[tuple[int, int]]:
    """Assign pauses to the ends of phrases, from the beginning to the end of the sound.

    Returns pairs: the index of a phrase's end in `ends`, and the index of its pause in `pauses`.
    Takes the cheapest of all ways to assign pauses to phrases in their order.
    """
    last, final = len(speech.ends) - 1, len(speech.pauses) - 1
    skips = max(_MIN_SKIPS, math.ceil(3 * last / final))
    costs: dict[tuple[int, int], float] = {(0, 0): 0.0}
    before: dict[tuple[int, int], tuple[int, int]] = {}
    for end in range(1, last + 1):
        for pause in (final,) if end == last else _near(speech, end):
            best = min(
                (
                    (costs[step] + _cost(speech, step, (end, pause)), step)
                    for step in _steps(speech, end, pause, skips)
                    if step in costs
                ),
                default=None,
            )
            if best is not None:
                costs[end, pause], before[end, pause] = best
    path = [(last, final)]
    while path[0] in before:
        path.insert(0, before[path[0]])
    return path if path[0] == (0, 0) else [(0, 0), (last, final)]


def _near(speech: _Speech, end: int) -> range:
    """Return the numbers of the pauses at which a phrase may end."""
    inner = speech.pauses[1:-1]
    drift = _MAX_DRIFT * speech.ends[-1] + _MAX_DRIFT_SECONDS
    first = bisect_left(inner, speech.ends[end] - drift, key=lambda pause: pause.spoken)
    stop = bisect_right(inner, speech.ends[end] + drift, key=lambda pause: pause.spoken)
    return range(first + 1, stop + 1)


def _steps(speech: _Speech, end: int, pause: int, skips: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs, as in `_best_path`, that may come before the pair of `end` and `pause`."""
    at = speech.pauses[pause].spoken
    for earlier in range(max(0, end - skips), end):
        if earlier == 0:
            yield 0, 0
            continue
        expected = speech.ends[end] - speech.ends[earlier]
        slack = _MAX_VARIATIONS * _variation(expected)
        first = bisect_left(speech.pauses, at - expected - slack, key=lambda each: each.spoken)
        stop = bisect_right(speech.pauses, at - expected + slack, key=lambda each: each.spoken)
        for number in range(max(first, 1), min(stop, pause)):
            yield earlier, number


def _cost(speech: _Speech, step: tuple[int, int], to: tuple[int, int]) -> float:
    expected = speech.ends[to[0]] - speech.ends[step[0]]
    pause = speech.pauses[to[1]]
    found = pause.spoken - speech.pauses[step[1]].spoken
    shortness = max(0.0, 1.0 - (pause.end - pause.start) / speech.usual)
    is_last = to[1] == len(speech.pauses) - 1
    return (
        ((found - expected) / _variation(expected)) ** 2
        + (speech.skipped[to[0] - 1] - speech.skipped[step[0]])
        + (0.0 if is_last else _SHORT_PAUSE * shortness)
    )


def _variation(expected: float) -> float:
    return _VARIATION * expected + _VARIATION_SECONDS


def _spans(speech: _Speech, anchors: Sequence[tuple[int, int]]) -> Iterator[tuple[float, float]]:
    """Yield the start and the end of each phrase.

    Between two phrases without a pause, the time is divided in proportion to their lengths.
    """
    for (first, begin), (stop, end) in pairwise(anchors):
        start, until = speech.pauses[begin], speech.pauses[end]
        expected = speech.ends[stop] - speech.ends[first]
        scale = (until.spoken - start.spoken) / expected
        for number in range(first, stop):
            spoken = [
                start.spoken + scale * (speech.ends[edge] - speech.ends[first])
                for edge in (number, number + 1)
            ]
            yield (
                start.end if number == first else _time_after(speech.pauses, spoken[0]),
                until.start if number == stop - 1 else _time_after(speech.pauses, spoken[1]),
            )


def _time_after(pauses: Sequence[_Pause], spoken: float) -> float:
    """Return the time at which this much has been spoken."""
    number = bisect_right(pauses, spoken, key=lambda pause: pause.spoken) - 1
    return pauses[number].end + spoken - pauses[number].spoken

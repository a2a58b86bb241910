"""Lists all places and the lights that suit them, and chooses the place for a prompt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.storyboard.drawing.scenery import lights
from bot.storyboard.drawing.scenery.places.abstract import paint_abstract
from bot.storyboard.drawing.scenery.places.city import paint_city, paint_rain
from bot.storyboard.drawing.scenery.places.desert import paint_desert
from bot.storyboard.drawing.scenery.places.garden import paint_garden
from bot.storyboard.drawing.scenery.places.interior import paint_interior
from bot.storyboard.drawing.scenery.places.night import paint_night
from bot.storyboard.drawing.scenery.places.road import paint_road
from bot.storyboard.drawing.scenery.places.sea import paint_sea
from bot.storyboard.drawing.scenery.places.sky import paint_sky
from bot.storyboard.drawing.scenery.places.space import paint_space
from bot.storyboard.drawing.scenery.places.stage import paint_stage
from bot.storyboard.drawing.scenery.places.underwater import paint_underwater
from bot.storyboard.drawing.scenery.places.woods import paint_forest, paint_mountains, paint_snow
from bot.storyboard.drawing.scenery.places.workshop import paint_workshop
from bot.storyboard.drawing.scenery.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bot.storyboard.drawing.scenery.lights import Light
    from bot.storyboard.drawing.scenery.painter import Painter


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A kind of place, with the dark lights and the bright lights in which it looks good."""

    name: str
    paint: Callable[[Painter], None]
    dark: tuple[Light, ...]
    light: tuple[Light, ...] = ()

    def choose_lights(self, random: Random, count: int) -> list[Light]:
        """Choose the light of each view.

        Either all are dark or all are bright, because the text has the same colour in all views.
        """
        chosen = random.choice([group for group in (self.dark, self.light) if group])
        first = random.randrange(len(chosen))
        return [chosen[(first + n) % len(chosen)] for n in range(count)]


_WORD = re.compile(r"\w+")
_L = lights
PLACES = (
    Place(
        name="sea",
        paint=paint_sea,
        dark=(_L.DUSK, _L.LAGOON, _L.AZURE, _L.NIGHT),
        light=(_L.MORNING, _L.PEACH, _L.MINT),
    ),
    Place(
        name="city",
        paint=paint_city,
        dark=(_L.NIGHT, _L.DUSK, _L.VIOLET, _L.EMBER),
        light=(_L.MORNING, _L.BLUSH, _L.PEACH),
    ),
    Place(
        name="forest",
        paint=paint_forest,
        dark=(_L.MOSS, _L.LAGOON, _L.DUSK),
        light=(_L.MINT, _L.MIST),
    ),
    Place(
        name="snow",
        paint=paint_snow,
        dark=(_L.AURORA, _L.NIGHT, _L.AZURE),
        light=(_L.FROST, _L.BLUSH),
    ),
    Place(
        name="mountains",
        paint=paint_mountains,
        dark=(_L.DUSK, _L.AZURE, _L.NIGHT),
        light=(_L.MIST, _L.PEACH, _L.MORNING),
    ),
    Place(name="night", paint=paint_night, dark=(_L.NIGHT, _L.AURORA, _L.VIOLET)),
    Place(
        name="desert",
        paint=paint_desert,
        dark=(_L.EMBER, _L.DUSK, _L.NIGHT),
        light=(_L.SAND, _L.PEACH),
    ),
    Place(
        name="garden",
        paint=paint_garden,
        dark=(_L.MOSS, _L.LAGOON),
        light=(_L.MINT, _L.BLUSH, _L.MORNING),
    ),
    Place(
        name="road",
        paint=paint_road,
        dark=(_L.DUSK, _L.EMBER, _L.NIGHT),
        light=(_L.SAND, _L.MORNING),
    ),
    Place(name="space", paint=paint_space, dark=(_L.VIOLET, _L.ABYSS, _L.EMBER, _L.NIGHT)),
    Place(name="underwater", paint=paint_underwater, dark=(_L.LAGOON, _L.ABYSS, _L.AZURE)),
    Place(
        name="sky",
        paint=paint_sky,
        dark=(_L.DUSK, _L.AZURE),
        light=(_L.MORNING, _L.PEACH, _L.BLUSH),
    ),
    Place(
        name="interior",
        paint=paint_interior,
        dark=(_L.BRASS, _L.DUSK, _L.LAGOON),
        light=(_L.SAND, _L.MINT, _L.BLUSH),
    ),
    Place(name="workshop", paint=paint_workshop, dark=(_L.BRASS, _L.STORM, _L.EMBER)),
    Place(name="stage", paint=paint_stage, dark=(_L.VIOLET, _L.EMBER, _L.NIGHT)),
    Place(name="rain", paint=paint_rain, dark=(_L.STORM, _L.NIGHT, _L.LAGOON), light=(_L.MIST,)),
    Place(
        name="abstract",
        paint=paint_abstract,
        dark=(_L.VIOLET, _L.LAGOON, _L.EMBER, _L.AZURE),
        light=(_L.PEACH, _L.MINT, _L.BLUSH, _L.SAND),
    ),
)


_ALONE = 4  # a word with at most this many letters must stand alone
_ANYWHERE = 0x0900  # words in scripts from this character on are found anywhere in a text
_GERMAN_PART = 5


def choose_place(text: str, random: Random) -> Place:
    """Return the place that is named by the most words in a text.

    If several places are named equally often, the place that is named first is chosen. If no place
    is named, abstract shapes are chosen.
    """
    words = _WORD.findall(text.casefold())
    scores = {
        place.name: _score(WORDS.get(place.name, "").split(), words, text) for place in PLACES
    }
    best = max(scores.values())
    if not best[0]:
        return PLACES[-1]
    names = [name for name, score in scores.items() if score == best]
    chosen = random.choice(names)
    return next(place for place in PLACES if place.name == chosen)


def _score(known: list[str], words: list[str], text: str) -> tuple[int, int]:
    """Return the number of words in a text that name a place, and the position of the first one.

    The position is negative, so that a better match has a higher score.
    """
    found = [index for index, word in enumerate(words) if any(_names(w, word) for w in known)]
    wide = [at for at in (text.find(w) for w in known if ord(w[0]) >= _ANYWHERE) if at >= 0]
    first = min([*found, *wide], default=0)
    return len(found) + len(wide), -first


def _names(known: str, word: str) -> bool:
    if len(known) <= _ALONE:
        return word in (known, known + "s", known + "e", known + "n")
    return word.startswith(known) or (len(known) >= _GERMAN_PART and word.endswith(known))

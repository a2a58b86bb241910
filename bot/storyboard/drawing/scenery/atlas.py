"""Knows all places with their words and lights, and chooses the one that a prompt is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.storyboard.drawing.scenery import lights
from bot.storyboard.drawing.scenery.places.city import paint_city
from bot.storyboard.drawing.scenery.places.sea import paint_sea
from bot.storyboard.drawing.scenery.places.woods import paint_forest, paint_mountains, paint_snow

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bot.storyboard.drawing.scenery.lights import Light
    from bot.storyboard.drawing.scenery.painter import Painter


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A kind of place, and the lights in which it looks well: darker and lighter ones."""

    name: str
    paint: Callable[[Painter], None]
    dark: tuple[Light, ...]
    light: tuple[Light, ...] = ()

    def choose_lights(self, random: Random, count: int) -> list[Light]:
        """Return the light of each view; all are dark, or none is, since the text has one ink."""
        chosen = random.choice([group for group in (self.dark, self.light) if group])
        first = random.randrange(len(chosen))
        return [chosen[(first + n) % len(chosen)] for n in range(count)]


PLACES = (
    Place(name="sea", paint=paint_sea, dark=(lights.DUSK, lights.LAGOON, lights.AZURE, lights.NIGHT), light=(lights.MORNING, lights.PEACH, lights.MINT)),
    Place(name="city", paint=paint_city, dark=(lights.NIGHT, lights.DUSK, lights.VIOLET), light=(lights.MORNING, lights.BLUSH)),
    Place(name="forest", paint=paint_forest, dark=(lights.MOSS, lights.LAGOON, lights.DUSK), light=(lights.MINT, lights.MIST)),
    Place(name="snow", paint=paint_snow, dark=(lights.AURORA, lights.NIGHT, lights.AZURE), light=(lights.FROST, lights.BLUSH)),
    Place(name="mountains", paint=paint_mountains, dark=(lights.DUSK, lights.AZURE, lights.NIGHT), light=(lights.MIST, lights.PEACH, lights.MORNING)),
)


def choose_place(text: str, random: Random) -> Place:
    return random.choice(PLACES)

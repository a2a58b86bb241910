"""Defines the lights in which places are painted. Each palette was tuned by eye."""

from __future__ import annotations

from dataclasses import dataclass

from bot.storyboard.drawing.scenery.colours import Rgb, rgb


@dataclass(frozen=True, kw_only=True, slots=True)
class Light:
    """The colours of a picture.

    `top`, `low`: the sky. `glow`: the sun or the moon.
    `far`, `near`: the ground.
    `ink`, `accent`: the text and its ornaments.
    """

    top: Rgb
    low: Rgb
    glow: Rgb
    far: Rgb
    near: Rgb
    accent: Rgb
    ink: Rgb

    @property
    def is_dark(self) -> bool:
        """Whether the text is lighter than the sky."""
        return sum(self.ink) > sum(self.top)


def _light(codes: str) -> Light:
    """Return a light with seven colours, in the order of its fields."""
    top, low, glow, far, near, accent, ink = (rgb(code) for code in codes.split())
    return Light(top=top, low=low, glow=glow, far=far, near=near, accent=accent, ink=ink)


NIGHT = _light("0a0f2c 2b4485 f6ecd2 22366b 060a1c ffd28a fbfaf5")
DUSK = _light("241746 d9657c ffc685 5a2f6d 190d2c ffd596 fff8f2")
EMBER = _light("34101f e26a3a ffdb86 7b2d2c 210911 ffe0a0 fff7ee")
LAGOON = _light("042438 1d909a c9f7ea 10596b 02141f ffd993 f4fffd")
STORM = _light("161f2b 5b7284 e4eef2 38495a 0c131b a8e2ff f6fafc")
AURORA = _light("05132a 1d5f5f 86f3bd 12394a 020b17 a6fbcd f3fff9")
VIOLET = _light("150a38 6d42b5 ffbdf1 3b2379 0b0422 8ff2ff fbf7ff")
MOSS = _light("06271f 43936a f4f9bd 205f49 03150f ffdd86 f8fff6")
AZURE = _light("07356f 6fbbea fff4cc 2c6ea8 08294b ffe391 f8fcff")
BRASS = _light("27190f 93623a ffd48a 5c3b25 150d07 ffcb70 fff8ed")
ABYSS = _light("010b1f 0d4a7a 9fdcff 0b335a 01060f ffcf86 f2faff")

MORNING = _light("c9e4f4 fbe4c9 fffaf0 a2c7d8 3f7188 a8351f 12263a")
MIST = _light("dfe6ea f8f4ee ffffff c4cfd5 6f8390 93431f 1b2830")
PEACH = _light("f9d3bf fff1dc fffaf0 efb79a ac5942 8a234a 3a1424")
MINT = _light("cdecdf f8f7df fffdf0 a3d6bd 3f7f63 a03a22 0d2c27")
FROST = _light("cfe2f3 f7fbff ffffff b9d0e6 7297ba a02c46 122d49")
SAND = _light("f3dcb4 fff5df fffdf2 e6bf8c b27a42 8a2f1d 38210f")
BLUSH = _light("e2d6f3 fdefef ffffff cab8e5 7056a5 a82a62 281446")

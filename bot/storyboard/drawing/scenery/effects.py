"""Blurs and fades pictures, and hides them in mist.

The module loads Pillow, so it is only imported in a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFilter

from bot.storyboard.drawing.layer_files import curve, scale, tint

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.colours import Rgb

_RIM = 180  # the value of Pillow's radial gradient in the middle of each edge


def blurred(picture: Image.Image, radius: float) -> Image.Image:
    """Return a blurred picture. Its transparent parts cause no dark fringes."""
    return picture.convert("RGBa").filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")


def falloff(far: float) -> float:
    """Return the brightness of a glow, from 1 to 0, for a value of Pillow's radial gradient."""
    near = max(0.0, 1 - far / _RIM)
    return near * near * (3 - 2 * near)


def in_mist(picture: Image.Image, colour: Rgb, top: float, bottom: float) -> Image.Image:
    """Return a silhouette in mist.

    `top` and `bottom`: the density of the mist at the top and at the bottom, from 0 to 1.
    """
    ramp = curve(
        Image.linear_gradient("L"), lambda depth: 255 * (top + (bottom - top) * depth / 255)
    )
    mask = scale(ramp, picture.size, Image.Resampling.BILINEAR)
    misty = Image.composite(Image.new("RGBA", picture.size, (*colour, 255)), picture, mask)
    misty.putalpha(picture.getchannel("A"))
    return misty


def in_depth(picture: Image.Image) -> Image.Image:
    """Return a picture that fades out towards its bottom."""
    ramp = scale(curve(Image.linear_gradient("L"), lambda depth: 255 - depth), picture.size)
    faded = tint(ImageChops.multiply(picture.getchannel("A"), ramp), (255, 255, 255))
    faded.paste(picture.convert("RGB"), (0, 0))
    faded.putalpha(ImageChops.multiply(picture.getchannel("A"), ramp))
    return faded

"""Tells which of OpenRouter's models hear a sound."""

from __future__ import annotations

import re

# OpenRouter's list does not say which models hear a sound. Other models ignore it. Seedance 2.0
# hears a sound only beside a picture, and 2.5 hears it alone (openstory-so/openstory#1558).
_SEEDANCE = re.compile(r"\bseedance-(?P<major>\d+)(?:[.-](?P<minor>\d)(?!\d))?")
_HEARS_ALONE = (2, 5)


def hears_sound(model: str | None) -> bool:
    """Tell whether a model accepts a sound as its only reference."""
    found = _SEEDANCE.search(model or "")
    return found is not None and (int(found["major"]), int(found["minor"] or 0)) >= _HEARS_ALONE

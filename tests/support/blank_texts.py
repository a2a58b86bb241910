"""Texts without a visible character, although most are not empty after `str.strip`."""

from __future__ import annotations

BLANK_TEXTS = {
    "spaces": " \n\t\u3000\u00a0",
    "zero width": "\u200b\u200c\u200d\ufeff\u2060",
    "soft hyphens": "\u00ad\u00ad",
    "directions": "\u200e\u202e\u2066\u2069",
    "Hangul fillers": "\u3164\u115f\u1160\uffa0",
    "Braille blank": "\u2800",
    "controls": "\x00\x07\x1b\x7f\x85",
    "combining marks": "\u0301\u0308\u20dd",
    "grapheme joiner": "\u034f",
    "Khmer inherent vowels": "\u17b4\u17b5",
    "Mongolian separators": "\u180b\u180e",
    "variation selectors": "\ufe0f\U000e0100",
    "tags": "\U000e0001\U000e0067\U000e007f",
    "private use": "\ue000\U000f0000",
    "no characters": "\ufdd0\uffff\U0002ffff",
    "unassigned": "\u0378\U000e0080",
    "object placeholder": "\ufffc",
    "null note head": "\U0001d159",
    "hieroglyphic blanks": "\U00013441\U00013442",
    "a mixture": " \u200b\u3164\u2800\u0301\U000e0020 ",
}
# Texts with a visible character between invisible ones.
VISIBLE_TEXTS = (
    *("猫", "ค", "क\u094d\u200dष", "\u0645\u200c", "é", "7", "½", "?", "…", "→"),
    *("🐈", "❤\ufe0f", "👩\u200d🚀", "1\ufe0f\u20e3", "🇩🇪", "\U0001fae9", "\U000323b0"),
    "\u200ba cat\u200b",
)

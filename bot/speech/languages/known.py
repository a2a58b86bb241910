"""The languages that a voice can have, with their own names and the scripts that they use."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Language:
    """A language.

    `name`: its name in the language itself, which its speakers recognise wherever they read it.
    `scripts`: the scripts that it is written in, as the names of Unicode's characters begin.
    """

    name: str
    scripts: tuple[str, ...] = ("LATIN",)


_CYRILLIC, _ARABIC, _DEVANAGARI = ("CYRILLIC",), ("ARABIC",), ("DEVANAGARI",)
_KANA = ("HIRAGANA", "KATAKANA")

#: The languages by their ISO 639-1 codes.
LANGUAGES: Mapping[str, Language] = {
    "ar": Language("العربية", _ARABIC),
    "bg": Language("български", _CYRILLIC),
    "bn": Language("বাংলা", ("BENGALI",)),
    "ca": Language("català"),
    "cs": Language("čeština"),
    "cy": Language("Cymraeg"),
    "da": Language("dansk"),
    "de": Language("Deutsch"),
    "el": Language("ελληνικά", ("GREEK",)),
    "en": Language("English"),
    "es": Language("español"),
    "et": Language("eesti"),
    "eu": Language("euskara"),
    "fa": Language("فارسی", _ARABIC),
    "fi": Language("suomi"),
    "fr": Language("français"),
    "ga": Language("Gaeilge"),
    "gl": Language("galego"),
    "he": Language("עברית", ("HEBREW",)),
    "hi": Language("हिन्दी", _DEVANAGARI),
    "hr": Language("hrvatski"),
    "hu": Language("magyar"),
    "hy": Language("հայերեն", ("ARMENIAN",)),
    "id": Language("Bahasa Indonesia"),
    "is": Language("íslenska"),
    "it": Language("italiano"),
    "ja": Language("日本語", (*_KANA, "CJK")),
    "ka": Language("ქართული", ("GEORGIAN",)),
    "kk": Language("қазақша", _CYRILLIC),
    "ko": Language("한국어", ("HANGUL",)),
    "lb": Language("Lëtzebuergesch"),
    "lt": Language("lietuvių"),
    "lv": Language("latviešu"),
    "mk": Language("македонски", _CYRILLIC),
    "ml": Language("മലയാളം", ("MALAYALAM",)),
    "mr": Language("मराठी", _DEVANAGARI),
    "ms": Language("Bahasa Melayu"),
    "ne": Language("नेपाली", _DEVANAGARI),
    "nl": Language("Nederlands"),
    "no": Language("norsk"),
    "pl": Language("polski"),
    "pt": Language("português"),
    "ro": Language("română"),
    "ru": Language("русский", _CYRILLIC),
    "sk": Language("slovenčina"),
    "sl": Language("slovenščina"),
    "sq": Language("shqip"),
    "sr": Language("српски", ("CYRILLIC", "LATIN")),
    "sv": Language("svenska"),
    "sw": Language("Kiswahili"),
    "ta": Language("தமிழ்", ("TAMIL",)),
    "te": Language("తెలుగు", ("TELUGU",)),
    "th": Language("ไทย", ("THAI",)),
    "tl": Language("Filipino"),
    "tr": Language("Türkçe"),
    "uk": Language("українська", _CYRILLIC),
    "ur": Language("اردو", _ARABIC),
    "vi": Language("Tiếng Việt"),
    "zh": Language("中文", ("CJK",)),
}
#: The scripts that only one of these languages is written in.
_OWN_SCRIPTS = {
    script
    for script, users in Counter(
        script for language in LANGUAGES.values() for script in language.scripts
    ).items()
    if users == 1
}
# One letter stands for a syllable or a word, so a few of them say as much as a long Latin name.
_DENSE = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"}
_DENSE_WEIGHT = 3


def script_of(text: str) -> str | None:
    """Return the script of most of a text, or None if the text has no letters."""
    scripts = Counter[str]()
    for char in unicodedata.normalize("NFKC", text):
        if char.isalpha():
            script = unicodedata.name(char, "").replace("-", " ").partition(" ")[0]
            scripts[script] += _DENSE_WEIGHT if script in _DENSE else 1
    if not scripts:
        return None
    # Japanese mixes its own letters with Chinese ones, and no other language uses the former.
    if kana := scripts["HIRAGANA"] + scripts["KATAKANA"]:
        scripts["HIRAGANA"] = kana + scripts.pop("CJK", 0)
    return max(scripts, key=scripts.__getitem__)


def decides(script: str) -> bool:
    """Tell whether a script belongs to one language."""
    return script in _OWN_SCRIPTS


def written_in(script: str | None, languages: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some languages that use a script, or all of them if there is no script."""
    if script is None:
        return languages
    return tuple(code for code in languages if script in LANGUAGES[code].scripts)

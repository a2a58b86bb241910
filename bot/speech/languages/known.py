"""The languages that a voice can have, with their own names and the scripts that they use."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class KnownLanguage:
    """A language.

    `name`: the language's own name, which its speakers recognise wherever they read it.
    `scripts`: the scripts in which the language is written. Each is the first word of the Unicode
    names of its characters.
    """

    name: str
    scripts: tuple[str, ...] = ("LATIN",)


_CYRILLIC, _ARABIC, _DEVANAGARI = ("CYRILLIC",), ("ARABIC",), ("DEVANAGARI",)
_KANA = ("HIRAGANA", "KATAKANA")

#: The languages by their ISO 639-1 codes.
LANGUAGES: Mapping[str, KnownLanguage] = {
    "ar": KnownLanguage("العربية", _ARABIC),
    "bg": KnownLanguage("български", _CYRILLIC),
    "bn": KnownLanguage("বাংলা", ("BENGALI",)),
    "ca": KnownLanguage("català"),
    "cs": KnownLanguage("čeština"),
    "cy": KnownLanguage("Cymraeg"),
    "da": KnownLanguage("dansk"),
    "de": KnownLanguage("Deutsch"),
    "el": KnownLanguage("ελληνικά", ("GREEK",)),
    "en": KnownLanguage("English"),
    "es": KnownLanguage("español"),
    "et": KnownLanguage("eesti"),
    "eu": KnownLanguage("euskara"),
    "fa": KnownLanguage("فارسی", _ARABIC),
    "fi": KnownLanguage("suomi"),
    "fr": KnownLanguage("français"),
    "ga": KnownLanguage("Gaeilge"),
    "gl": KnownLanguage("galego"),
    "he": KnownLanguage("עברית", ("HEBREW",)),
    "hi": KnownLanguage("हिन्दी", _DEVANAGARI),
    "hr": KnownLanguage("hrvatski"),
    "hu": KnownLanguage("magyar"),
    "hy": KnownLanguage("հայերեն", ("ARMENIAN",)),
    "id": KnownLanguage("Bahasa Indonesia"),
    "is": KnownLanguage("íslenska"),
    "it": KnownLanguage("italiano"),
    "ja": KnownLanguage("日本語", (*_KANA, "CJK")),
    "ka": KnownLanguage("ქართული", ("GEORGIAN",)),
    "kk": KnownLanguage("қазақша", _CYRILLIC),
    "ko": KnownLanguage("한국어", ("HANGUL",)),
    "lb": KnownLanguage("Lëtzebuergesch"),
    "lt": KnownLanguage("lietuvių"),
    "lv": KnownLanguage("latviešu"),
    "mk": KnownLanguage("македонски", _CYRILLIC),
    "ml": KnownLanguage("മലയാളം", ("MALAYALAM",)),
    "mr": KnownLanguage("मराठी", _DEVANAGARI),
    "ms": KnownLanguage("Bahasa Melayu"),
    "ne": KnownLanguage("नेपाली", _DEVANAGARI),
    "nl": KnownLanguage("Nederlands"),
    "no": KnownLanguage("norsk"),
    "pl": KnownLanguage("polski"),
    "pt": KnownLanguage("português"),
    "ro": KnownLanguage("română"),
    "ru": KnownLanguage("русский", _CYRILLIC),
    "sk": KnownLanguage("slovenčina"),
    "sl": KnownLanguage("slovenščina"),
    "sq": KnownLanguage("shqip"),
    "sr": KnownLanguage("српски", ("CYRILLIC", "LATIN")),
    "sv": KnownLanguage("svenska"),
    "sw": KnownLanguage("Kiswahili"),
    "ta": KnownLanguage("தமிழ்", ("TAMIL",)),
    "te": KnownLanguage("తెలుగు", ("TELUGU",)),
    "th": KnownLanguage("ไทย", ("THAI",)),
    "tl": KnownLanguage("Filipino"),
    "tr": KnownLanguage("Türkçe"),
    "uk": KnownLanguage("українська", _CYRILLIC),
    "ur": KnownLanguage("اردو", _ARABIC),
    "vi": KnownLanguage("Tiếng Việt"),
    "zh": KnownLanguage("中文", ("CJK",)),
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
    if kana := scripts.pop("HIRAGANA", 0) + scripts.pop("KATAKANA", 0):
        scripts["HIRAGANA"] = kana + scripts.pop("CJK", 0)
    return max(scripts, key=scripts.__getitem__)


def decides(script: str) -> bool:
    """Tell whether a script belongs to one language."""
    return script in _OWN_SCRIPTS


def written_in(script: str | None, languages: tuple[str, ...]) -> tuple[str, ...]:
    """Return the `languages` that use a script, or all of them if `script` is None."""
    if script is None:
        return languages
    return tuple(code for code in languages if script in LANGUAGES[code].scripts)

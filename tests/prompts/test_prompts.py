"""Tests of the template writer: the prompts that it extends, and those that it must not change."""

from __future__ import annotations

import pytest

from bot.prompts.reading import DetailKind, PromptReader
from bot.prompts.template import TemplateWriter

READER = PromptReader.load()
TEMPLATE = TemplateWriter(READER)
ROOM = 2000
LABELS = {
    "en": ("Subject", "Setting", "Camera", "Light", "Motion"),
    "de": ("Motiv", "Ort", "Kamera", "Licht", "Bewegung"),
    "ja": ("主題", "場所", "カメラ", "光", "動き"),
    "es": ("Tema", "Lugar", "Cámara", "Luz", "Movimiento"),
    "fr": ("Sujet", "Lieu", "Caméra", "Lumière", "Mouvement"),
}
KINDS = ("subject", *(kind for kind in DetailKind if kind is not DetailKind.STYLE))


async def added(words: str, *, room: int = ROOM) -> str:
    """Return the template's additions, which have to follow the words."""
    written = await TEMPLATE.write(words, room=room)
    assert written.startswith(words)
    return written.removeprefix(words)


async def kinds_added(words: str) -> set[str]:
    """Return the kinds of the lines that the template adds."""
    language = READER.read(words).language
    if language is None:
        assert await added(words) == ""
        return set()
    lines = (await added(words)).strip().splitlines()
    by_label = dict(zip(LABELS[language.name], KINDS, strict=True))
    return {by_label[line.split(":")[0].strip()] for line in lines}


QUESTIONS = [
    ("Explain quantum computing", "quantum computing"),
    ("please explain to me: tides", "tides"),
    ("What is photosynthesis?", "photosynthesis"),
    ("Show me how bread rises", "how bread rises"),
    ("Erkläre mir bitte Quantencomputer", "Quantencomputer"),
    ("Was ist Photosynthese?", "Photosynthese"),
    ("量子コンピュータを説明して", "量子コンピュータ"),
    ("光合成とは何ですか", "光合成"),
    ("Explica la computación cuántica", "la computación cuántica"),
    ("¿Qué es la fotosíntesis?", "la fotosíntesis"),
    ("Explique l’informatique quantique", "l’informatique quantique"),  # noqa: RUF001 - as typed
    ("Qu'est-ce que la photosynthèse ?", "la photosynthèse"),
]


@pytest.mark.parametrize(("words", "topic"), QUESTIONS)
async def test_a_question_becomes_a_brief_about_its_topic(words: str, topic: str) -> None:
    brief = await added(words)
    assert brief.startswith("\n\n")
    assert topic in brief.splitlines()[2]
    named = READER.read(words).named
    assert await kinds_added(words) == {kind for kind in KINDS if kind not in named}


@pytest.mark.parametrize("language", LABELS)
async def test_a_question_without_details_gets_the_whole_brief(
    language: str,
) -> None:
    words = {
        "en": "Explain quantum computing",
        "de": "Wie entsteht ein Regenbogen?",
        "ja": "虹はどうやってできるの？",  # noqa: RUF001 - Japanese
        "es": "¿Cómo se forma un arcoíris?",
        "fr": "Comment naissent les volcans ?",
    }[language]
    assert await kinds_added(words) == set(KINDS)


NAMED = [
    (DetailKind.LIGHT, "A cat on a roof at night"),
    (DetailKind.LIGHT, "Explain tides by candlelight"),
    (DetailKind.LIGHT, "Eine Katze im Mondlicht"),
    (DetailKind.LIGHT, "夕焼けの中の猫"),
    (DetailKind.LIGHT, "Un gato al atardecer"),
    (DetailKind.LIGHT, "Un chat sous les néons"),
    (DetailKind.CAMERA, "Aerial view of a harbour"),
    (DetailKind.CAMERA, "A cat, no camera movement"),
    (DetailKind.CAMERA, "First a cat wakes up, then it yawns"),
    (DetailKind.CAMERA, "Nahaufnahme einer Biene"),
    (DetailKind.CAMERA, "猫のクローズアップ"),
    (DetailKind.CAMERA, "Primer plano de un gato"),
    (DetailKind.CAMERA, "Gros plan sur un chat"),
    (DetailKind.SETTING, "A fox in the snow"),
    (DetailKind.SETTING, "Explain gravity on the moon"),
    (DetailKind.SETTING, "Ein Fuchs im Schnee"),
    (DetailKind.SETTING, "森の中の狐"),
    (DetailKind.SETTING, "Un zorro en la nieve"),
    (DetailKind.SETTING, "Un renard dans la neige"),
    (DetailKind.MOTION, "A horse gallops"),
    (DetailKind.MOTION, "Ein Pferd galoppiert schnell"),
    (DetailKind.MOTION, "馬が走る"),
    (DetailKind.MOTION, "Un caballo galopa"),
    (DetailKind.MOTION, "Un cheval qui galope"),
]


@pytest.mark.parametrize(("kind", "words"), NAMED)
async def test_nothing_is_added_of_a_kind_that_the_prompt_names(
    kind: DetailKind, words: str
) -> None:
    reading = READER.read(words)
    assert reading.language is not None
    assert kind in reading.named
    assert kind not in await kinds_added(words)


@pytest.mark.parametrize(
    "words",
    [
        "Wide shot of a lighthouse on a cliff at dusk, slow dolly in, oil painting",
        "Anime, a girl runs through neon streets, tracking shot",
        "Weitwinkel, Leuchtturm auf einer Klippe bei Nacht, Aquarell",
        "アニメ風、夜の街を走る少女、俯瞰ショット",
        "A cat. " * 60,
        "猫が好き。" * 40,
        "A cat\nA dog\nA bird\nA fish",
    ],
)
async def test_nothing_is_added_to_a_rich_prompt(words: str) -> None:
    assert await added(words) == ""


@pytest.mark.parametrize(
    "words",
    [
        "Een kat op het dak",
        "La gatta sul tetto che scotta",
        "Um gato no telhado à noite",
        "A lua sobre o mar",
        "Una ragazza sulla spiaggia",
        "Kissa istuu katolla",
        "Kot na dachu",
        "Кот на крыше",
        "고양이가 지붕 위에 있다",
        "屋顶上的猫",
        "قطة على السطح",
        "Rainbow",
        "La tour Eiffel",
        "Xyzzy plugh",
        "🐈🌈",
        "!?",
    ],
)
async def test_nothing_is_added_in_an_unknown_language(words: str) -> None:
    assert READER.read(words).language is None
    assert await added(words) == ""


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("The old man and the sea", "en"),
        ("Tokyo at night, a neon sign that says ラーメン", "en"),
        ("Der alte Mann und das Meer", "de"),
        ("老人と海", "ja"),
        ("ﾈｺ", "ja"),
        ("El viejo y el mar", "es"),
        ("Le vieil homme et la mer", "fr"),
    ],
)
def test_a_language_is_recognized_by_its_words(words: str, language: str) -> None:
    found = READER.read(words).language
    assert found is not None
    assert found.name == language


async def test_there_is_always_room_for_the_words_and_then_for_whole_lines() -> None:
    words = "Explain quantum computing"
    brief = await added(words)
    lines = brief.strip().splitlines()
    for room in (0, len(words), len(words) + 10):
        assert await added(words, room=room) == ""
    for count in range(1, len(lines) + 1):
        whole = "\n\n" + "\n".join(lines[:count])
        room = len(words) + len(whole)
        assert await added(words, room=room) == whole
        assert await added(words, room=room - 1) == (
            "" if count == 1 else whole[: -len(lines[count - 1]) - 1]
        )


async def test_the_same_words_always_give_the_same_brief() -> None:
    again = TemplateWriter(PromptReader.load())
    for words, _ in QUESTIONS:
        assert await again.write(words, room=ROOM) == await TEMPLATE.write(words, room=ROOM)


@pytest.mark.parametrize("words", ["a" * 2000, "a " * 1000, "が" * 2000, "licht" * 400, "'" * 2000])
async def test_every_prompt_is_read_quickly(words: str) -> None:
    assert (await TEMPLATE.write(words, room=ROOM)).startswith(words)

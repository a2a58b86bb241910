"""Prompts of every kind for the storyboard."""

from __future__ import annotations

PROMPTS = {
    "short": "Explain how rainbows form",
    "word": "Sunset",
    "question": "Why is the sky blue?",
    "german": "Wie entsteht ein Regenbogen? Erkläre es Kindern, die noch nie Regen gesehen haben.",
    "russian": "Объясни, как появляется радуга после летнего дождя",
    "japanese": "雨上がりの空に虹がかかる。光が水滴で屈折し、七色に分かれる様子をゆっくり見せて。",
    "giant word": "x" * 4000,
    "no breaks": "虹" * 4000,
    "long": "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 70,
    "empty": "",
    "punctuation": "...!!! , , — 。。",
    "lines": "one\n\n\ntwo\r\nthree\u2028four",
    "right to left": "שלום עולם مرحبا",
    "emoji": "🙂🌈 a 👩‍👩‍👧",
    "controls": "\x00\x1b[31m\u202eevil\u202c\ud800\ufeff",
}

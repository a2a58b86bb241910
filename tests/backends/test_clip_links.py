"""The link to a finished video is found only in fields with known names."""

from __future__ import annotations

from typing import Any

import pytest

from bot.backends.responses.clip_links import INLINE, find_link, texts_of_clips

V = "https://cdn.example/v.mp4?sig=1"
FOUND: dict[str, Any] = {
    "url": {"url": V},
    "video_url": {"video_url": V},
    "videoUrl": {"videoUrl": V},
    "a list of URLs": {"urls": [V]},
    "data": {"data": [{"url": V}]},
    "data.video_url": {"data": {"video_url": V}},
    "videos[0].url": {"videos": [{"url": V}]},
    "a list of videos": {"videos": [V]},
    "fal": {"video": {"url": V, "content_type": "video/mp4"}},
    "Replicate": {"output": V, "urls": {"get": "https://api.example/p/1", "cancel": "https://x/c"}},
    "Runway": {"output": [V]},
    "DashScope": {"output": {"task_status": "SUCCEEDED", "video_url": V}},
    "Kling": {"data": {"task_result": {"videos": [{"id": "1", "url": V, "duration": "5"}]}}},
    "Ark": {"content": {"video_url": V}},
    "Luma": {"assets": {"image": "https://cdn.example/i.jpg", "video": V}},
    "Vidu": {"creations": [{"id": "1", "cover_url": "https://cdn.example/c", "url": V}]},
    "MiniMax": {"file": {"download_url": V}},
    "Google": {
        "response": {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": V}}]}}
    },
    "kie": {"data": {"response": {"resultUrls": [V]}}},
    "new-api's metadata": {"metadata": {"url": V}},
    "result.url": {"result": {"url": V}},
    "nested lists": {"output": [[{"url": V}]]},
    "Bearer of types": {
        "output": [{"type": "image", "url": "https://x/i"}, {"type": "video", "url": V}]
    },
    "a poster first": {"output": ["https://cdn.example/poster.jpg?x=.mp4", V]},
}
NOT_FOUND: dict[str, Any] = {
    name: {name: "https://cdn.example/x.mp4"}
    for name in (
        *("input", "input_url", "input_video", "input_reference", "inputs", "image", "image_url"),
        *("images", "audio", "audio_url", "thumbnail", "thumbnail_url", "poster", "poster_url"),
        *("callback", "callback_url", "webhook_url", "notify_url", "polling_url", "status_url"),
        *("response_url", "cancel_url", "cancel", "get", "cover_url", "first_frame_url"),
        *("last_frame", "logo", "docs", "help_url", "error", "prompt", "reference_video"),
    )
} | {
    "Replicate's own addresses": {"urls": {"get": V, "cancel": V, "stream": V, "web": V}},
    "an echoed input": {"input": {"video_url": V, "url": V}},
    "an echoed request": {"request": {"url": V}},
    "an input inside": {"output": {"input": {"url": V}, "image": {"url": V}, "audio": {"url": V}}},
    "a picture by its type": {"data": [{"type": "image_url", "url": "https://cdn.example/x"}]},
    "a picture by its content type": {"video": {"content_type": "image/png", "url": "https://x/1"}},
    "a reference by its role": {"content": [{"role": "reference_video", "video_url": {"url": V}}]},
    "a picture by its name": {"url": "https://cdn.example/v.png"},
    "a sound by its name": {"data": {"url": "https://cdn.example/v.mp3?x=1"}},
    "a file": {"url": "file:///etc/passwd"},
    "a script": {"url": "javascript:alert(1)"},
    "a number": {"url": 7, "video_url": None, "videos": []},
    "depth": {"data": [[[[[[[[[[[[{"url": V}]]]]]]]]]]]]},
    "text": V,
    "nothing": None,
}


@pytest.mark.parametrize("case", FOUND)
def test_a_link_is_found_under_the_names_that_providers_use(case: str) -> None:
    assert find_link(FOUND[case]) == V


@pytest.mark.parametrize("case", NOT_FOUND)
def test_other_links_are_never_taken_for_the_video(case: str) -> None:
    assert find_link(NOT_FOUND[case]) is None


@pytest.mark.parametrize(
    "answer",
    [
        {"video_url": "data:video/mp4;base64,AAAA"},
        {"output": ["data:video/webm;base64,AAAA"]},
        {"video": "data:video/mp4;base64,"},
        {"data": [{"b64_json": ""}]},
    ],
)
def test_a_video_in_the_answer_itself_has_a_link_without_its_content(answer: object) -> None:
    assert find_link(answer) == INLINE


def test_pictures_in_the_answer_are_no_video() -> None:
    for name in ("input_reference", "image", "thumbnail"):
        assert find_link({name: "data:video/mp4;base64,AAAA"}) is None
    assert find_link({"output": "data:image/png;base64,AAAA"}) is None


def test_the_most_reliable_name_wins() -> None:
    assert find_link({"url": "https://x/page", "video_url": V}) == V
    assert find_link({"url": V, "data": {"video_url": "https://x/other.mp4"}}) == V


def test_a_huge_answer_is_not_searched_for_ever() -> None:
    for leaf in ("x", {}, []):
        wide = {"data": [{"data": [{"data": [leaf] * 500}] * 500}] * 500}
        visited = texts_of_clips(wide)
        assert sum(1 for _ in visited) <= 5000
        assert find_link(wide) is None

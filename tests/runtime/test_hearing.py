"""The services that get narrations, by settings: service, model, and the operator's network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.artifacts import VoiceUse
from bot.backends.capabilities import SoundForm
from bot.backends.transport.local_network import is_local
from bot.commands.checks.configuration.hearing import examine_hearing
from bot.delivery.views.details_view import DetailsView
from bot.delivery.views.service_name import ServiceName
from bot.library.index import JobDetails
from bot.model import JobState
from bot.runtime.parts.hearing import hearing_service, sound_forms_of
from bot.settings.fields import load_settings
from bot.texts import Texts
from tests.support.jobs import job as make_job
from tests.support.shown import read

if TYPE_CHECKING:
    from bot.settings.fields import Settings

OPENROUTER = {"video_backend": "openrouter", "openrouter_api_key": "k"}
SEEDANCE = {"video_model": "bytedance/seedance-2.5", "public_url": "https://clapper.example"}
OWN = {"video_backend": "openai", "openai_base_url": "http://vllm:8000/v1"}


def guided(**settings: Any) -> Settings:
    return load_settings(narration_mode="guide", **settings)


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://2130706433/v1", True),
        ("http://[::1]:8000", True),
        ("http://10.1.2.3/v1", True),
        ("http://192.168.0.2/v1", True),
        ("http://[fd00::1]/v1", True),
        ("http://localhost:8000/v1", True),
        ("http://vllm:8000/v1", True),
        ("http://gpu.local./v1", True),
        ("https://gpu.home.arpa/v1", True),
        ("https://api.internal/v1", True),
        ("https://openrouter.ai/api/v1", False),
        ("https://8.8.8.8/v1", False),
        ("https://[2001:4860:4860::8888]/v1", False),
        ("https://local.example.com/v1", False),
        ("https://notlocal/x", True),
        ("https://127.0.0.1.example.com/v1", False),
        ("https://localhost@example.com/v1", False),
        ("", False),
    ],
)
def test_only_private_addresses_and_local_names_are_inside(url: str, *, inside: bool) -> None:
    assert is_local(url) is inside


@pytest.mark.parametrize(
    ("model", "hears"),
    [
        ("bytedance/seedance-2.5", True),
        ("bytedance/seedance-2-5-260628", True),
        ("bytedance/seedance-3", True),
        ("bytedance/seedance-2.0", False),
        ("bytedance/seedance-2-0-fast-260128", False),
        ("bytedance/seedance-1-5-pro", False),
        ("google/veo-3.1", False),
    ],
)
def test_only_a_model_that_hears_a_sound_alone_gets_one(model: str, *, hears: bool) -> None:
    forms = sound_forms_of(guided(**OPENROUTER, video_model=model))
    assert forms == ((SoundForm.LINK,) if hears else ())


def test_by_default_no_service_hears_voices() -> None:
    assert hearing_service(load_settings(**OPENROUTER, **SEEDANCE)) is None
    assert sound_forms_of(guided(**OWN)) == ()


@pytest.mark.parametrize(
    ("settings", "found", "advice"),
    [
        ({**OPENROUTER, **SEEDANCE}, "heard by openrouter.ai, outside: people are asked", ""),
        ({**OPENROUTER, **SEEDANCE, "public_url": ""}, "only accepts https links", "PUBLIC_URL"),
        ({**OPENROUTER, "video_model": "google/veo-3.1"}, "doesn't accept audio", "Seedance 2.5"),
        ({**OWN, "openai_audio_reference": "on"}, "heard by vllm:8000, in your network", ""),
        (OWN, "doesn't accept audio", "OPENAI_AUDIO_REFERENCE=on"),
        ({}, "doesn't accept audio", "NARRATION_MODE=overlay"),
    ],
)
def test_the_doctor_says_who_hears_narrations_and_what_to_change(
    settings: dict[str, Any], found: str, advice: str
) -> None:
    finding = examine_hearing(guided(**settings))
    assert found in finding.found
    assert advice in finding.advice
    assert finding.ok is not bool(advice)


def test_the_details_say_whether_the_model_heard_the_voice_and_why_not() -> None:
    job = make_job(JobState.SUCCEEDED)
    view, lines = DetailsView(Texts.load(), ServiceName()), dict[VoiceUse | None, str]()
    for use in (None, *VoiceUse):
        voiced = replace(job, voice=replace(job.voice, use=use))
        shown = JobDetails(job=voiced, artifact=None, steps=())
        [*told] = [
            line
            for line in "\n".join(read(view.render(shown, "en", in_full=False))).splitlines()
            if "narration" in line
        ]
        lines[use] = "".join(told)
    assert lines.pop(None) == lines.pop(VoiceUse.ALLOWED) == ""
    assert len({*lines.values()}) == len(lines) == len(VoiceUse) - 1
    assert all(" because " in line for use, line in lines.items() if use is not VoiceUse.SENT)

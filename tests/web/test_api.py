from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from aiohttp import FormData

from bot.errors import BackendError, ErrorKind, FileStoreError, UnconfirmedSubmitError
from bot.model import JobState
from tests.support.blank_texts import BLANK_TEXTS
from tests.support.clients.site import FORM, MAX_AUDIO, OTHER_TOKEN, Caller, open_site
from tests.support.fakes.backend import CLIP

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.bench import Bench

VOICE = b"OggS a voice"


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


def form(**fields: str) -> FormData:
    data = FormData({**FORM, **fields})
    data.add_field("audioBuffer", VOICE, filename="../../voice.ogg")
    return data


async def leftovers(caller: Caller) -> list[str]:
    stock = await caller.bench.workspace.inventory()
    return [item.job_id for item in stock.folders]


async def test_an_order_is_answered_at_once_with_its_job_and_the_video_is_made_later(
    caller: Caller,
) -> None:
    job_id = await caller.order()

    assert await caller.ask("GET", f"/api/status?jobId={job_id}") == (
        200,
        {"status": "queued", "progress": 0},
    )
    await caller.finish(job_id)
    assert await caller.ask("GET", f"/api/status?jobId={job_id}&renderVersion=v3") == (
        200,
        {"status": "completed", "progress": 100},
    )
    assert (await caller.bench.now(job_id)).state is JobState.SUCCEEDED
    assert not caller.bench.deliverer.cards
    assert not await leftovers(caller)


@pytest.mark.parametrize("way", ["form", "json", "data url", "json with escapes"])
async def test_audio_is_sent_as_a_file_or_as_base64_and_becomes_the_narration(
    caller: Caller, way: str
) -> None:
    text = base64.b64encode(VOICE).decode()
    sent = {
        "form": {"data": form()},
        "json": {"json": {**FORM, "audioBuffer": text}},
        "data url": {"json": {**FORM, "audioBuffer": f"data:audio/ogg;base64,{text}"}},
        "json with escapes": {
            "data": f'{{"audioBuffer": "{text}", "scriptOrQuestion": "a \\"cat\\""}}',
            "headers": {"Content-Type": "application/json"},
        },
    }[way]

    status, answer = await caller.ask("POST", "/api/generate?renderVersion=v3", **sent)
    assert status == 200, answer
    await caller.finish(answer["jobId"])

    assert caller.bench.editor.ingested == [(answer["jobId"], VOICE.decode())]
    video = caller.bench.workspace.video(answer["jobId"])
    assert video.read_bytes().endswith(b"with voice")
    assert not await leftovers(caller)


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("?renderVersion=v2", FORM, "api.render_version"),
        ("?model=sora-3", FORM, "api.unknown_field"),
        ("", {**FORM, "renderVersion": "v4"}, "api.render_version"),
        ("", {**FORM, "model": "sora-3"}, "api.unknown_field"),
        ("", {**FORM, "duration": "60"}, "api.unknown_field"),
        ("", {**FORM, "deep": {"audioBuffer": "AAAA"}}, "api.unknown_field"),
        ("", {}, "api.no_script"),
        ("", {"scriptOrQuestion": 7}, "api.no_script"),
        ("", {"scriptOrQuestion": "  "}, "prompt.empty"),
        ("", {"scriptOrQuestion": BLANK_TEXTS["a mixture"]}, "prompt.empty"),
        ("", {"scriptOrQuestion": "x" * 2001}, "prompt.too_long"),
        ("", ["a list"], "api.not_json"),
        ("", {**FORM, "audioBuffer": "not base64!"}, "api.bad_audio"),
        ("", {**FORM, "audioBuffer": 7}, "api.bad_audio"),
        ("", {**FORM, "audioBuffer": ""}, "audio.empty"),
        ("", {**FORM, "audioBuffer": base64.b64encode(b"# Notes").decode()}, "audio.not_audio"),
        (
            "",
            {**FORM, "audioBuffer": base64.b64encode(bytes(MAX_AUDIO + 1)).decode()},
            "audio.too_large",
        ),
    ],
)
async def test_an_invalid_order_is_refused_with_400_and_leaves_nothing_behind(
    caller: Caller, path: str, body: object, key: str
) -> None:
    status, answer = await caller.ask("POST", f"/api/generate{path}", json=body)

    assert (status, answer["error"]["key"]) == (400, key)
    assert answer["error"]["message"]
    assert not await leftovers(caller)
    assert (await caller.ask("GET", "/api/jobs"))[1] == {"jobs": []}


async def test_a_refusal_names_the_field_in_the_callers_language(caller: Caller) -> None:
    _, answer = await caller.ask(
        "POST",
        "/api/generate",
        json={**FORM, "model": "sora-3"},
        headers={"Accept-Language": "de-AT,de;q=0.9"},
    )

    assert answer["error"]["message"].startswith("model lässt sich hier nicht angeben")
    assert len(answer["requestId"]) == 32


@pytest.mark.parametrize(
    ("raw", "kind", "status", "key"),
    [
        (b"{", "application/json", 400, "api.not_json"),
        (b"", "application/json", 400, "api.not_json"),
        (b'{"audioBuffer": "AAAA', "application/json", 400, "api.not_json"),
        (
            b'{"scriptOrQuestion": "a", "scriptOrQuestion": "b"}',
            "application/json",
            400,
            "api.field_twice",
        ),
        (
            b'{"scriptOrQuestion": "' + b"x" * 70_000 + b'"}',
            "application/json",
            413,
            "api.too_large",
        ),
        (b"[" * 60_000, "application/json", 400, "api.not_json"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "api.body_kind"),
        (b"no boundary", "multipart/form-data", 400, "api.bad_request"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", 400, "api.unknown_field"),
    ],
)
async def test_a_body_that_is_broken_or_hostile_is_refused(
    caller: Caller, raw: bytes, kind: str, status: int, key: str
) -> None:
    found, answer = await caller.ask(
        "POST", "/api/generate", data=raw, headers={"Content-Type": kind}
    )

    assert (found, answer["error"]["key"]) == (status, key)
    assert not await leftovers(caller)


async def test_a_body_larger_than_any_audio_is_refused_while_it_is_received(caller: Caller) -> None:
    body = b'{"audioBuffer": "' + b"A" * (2 * MAX_AUDIO) + b'"}'
    status, answer = await caller.ask(
        "POST", "/api/generate", data=body, headers={"Content-Type": "application/json"}
    )

    assert (status, answer["error"]["key"]) == (413, "api.too_large")
    assert not await leftovers(caller)


@pytest.mark.parametrize("path", ["status?jobId=", "download?jobId=", "jobs?before=", "generate"])
async def test_requests_with_a_missing_or_wrong_token_are_refused(
    caller: Caller, path: str
) -> None:
    method = "POST" if path == "generate" else "GET"
    for token in (None, "wrong-token-of-sixteen", OTHER_TOKEN[:-1]):
        status, answer = await caller.ask(method, f"/api/{path}", token=token)
        assert (status, answer["error"]["key"]) == (401, "api.unauthorized")


async def test_a_client_has_no_access_to_the_jobs_of_another(caller: Caller) -> None:
    job_id = await caller.made()

    for path in ("status", "download"):
        status, answer = await caller.ask("GET", f"/api/{path}?jobId={job_id}", token=OTHER_TOKEN)
        assert (status, answer["error"]["key"]) == (404, "api.unknown_job")
    assert (await caller.ask("GET", "/api/jobs", token=OTHER_TOKEN))[1] == {"jobs": []}
    assert (await caller.ask("GET", f"/api/jobs?before={job_id}", token=OTHER_TOKEN))[1] == {
        "jobs": []
    }
    status, _ = await caller.ask("POST", f"/api/cancel?jobId={job_id}", token=OTHER_TOKEN)
    assert status == 404


async def test_a_job_from_discord_is_not_visible_over_the_api(caller: Caller) -> None:
    job = await caller.bench.submit()

    status, _ = await caller.ask("GET", f"/api/status?jobId={job.id}")
    assert status == 404


async def test_the_download_is_the_video_with_ranges_and_a_readable_name(
    caller: Caller,
) -> None:
    job_id = await caller.order({"scriptOrQuestion": "Ein Hund\r\nam „Strand“"})
    assert (await caller.ask("GET", f"/api/download?jobId={job_id}"))[0] == 409
    await caller.finish(job_id)
    whole = caller.bench.workspace.video(job_id).read_bytes()
    headers = {"Authorization": f"Bearer {caller.token}"}
    path = f"/api/download?jobId={job_id}"

    async with caller.http.get(path, headers=headers) as response:
        assert await response.read() == whole
        assert response.headers["Content-Type"] == "video/mp4"
        assert response.headers["Content-Disposition"] == (
            'attachment; filename="Ein-Hund-am-Strand.mp4"; '
            "filename*=UTF-8''Ein-Hund-am-Strand.mp4"
        )
        etag = response.headers["ETag"]
        assert len(response.headers["X-Request-Id"]) == 32
    async with caller.http.get(path, headers={**headers, "Range": "bytes=4-7"}) as response:
        assert (response.status, await response.read()) == (206, whole[4:8])
    async with caller.http.get(path, headers={**headers, "If-None-Match": etag}) as response:
        assert response.status == 304


@pytest.mark.parametrize("whole", [{}, {"Range": "bytes=0-"}])
async def test_a_video_counts_as_delivered_once_one_response_contained_all_of_it(
    caller: Caller, whole: dict[str, str]
) -> None:
    job_id = await caller.made()

    async def fetch(span: dict[str, str]) -> float | None:
        path = f"/api/download?jobId={job_id}"
        headers = {"Authorization": f"Bearer {caller.token}", **span}
        async with caller.http.get(path, headers=headers) as response:
            await response.read()
        await caller.ask(
            "GET", "/api/jobs"
        )  # on the same connection, so the previous request has ended
        artifact = await caller.bench.artifacts.get(job_id)
        assert artifact is not None
        return artifact.delivered_at

    # A caller that requests the end may not have the start.
    for part in ("bytes=0-3", "bytes=-1", "bytes=4-"):
        assert await fetch({"Range": part}) is None
    assert await fetch(whole) == caller.bench.clock()


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (FileStoreError("the store can't be reached"), (503, "api.unavailable")),
        (FileNotFoundError("the file is not in the store"), (410, "api.expired")),
    ],
)
async def test_a_video_that_its_store_does_not_give_is_no_bug(
    caller: Caller,
    trouble: OSError,
    expected: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def find_video(_: str) -> Path:
        raise trouble

    job_id = await caller.made()
    monkeypatch.setattr(caller.bench.workspace, "find_video", find_video)
    status, answer = await caller.ask("GET", f"/api/download?jobId={job_id}")
    assert (status, answer["error"]["key"]) == expected
    assert "Traceback" not in caplog.text


async def test_an_expired_video_is_gone_and_a_damaged_one_is_an_error(
    caller: Caller,
) -> None:
    job_id, broken = await caller.made(), await caller.made()
    caller.bench.workspace.video(broken).write_bytes(CLIP[:3])
    await caller.bench.artifacts._database.rows(  # noqa: SLF001 - as the retention does
        "DELETE FROM artifacts WHERE job_id = :id", {"id": job_id}
    )

    status, answer = await caller.ask("GET", f"/api/download?jobId={job_id}")
    assert (status, answer["error"]["key"]) == (410, "api.expired")
    status, answer = await caller.ask("GET", f"/api/download?jobId={broken}")
    assert (status, answer["error"]["key"]) == (500, "api.unreadable")


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (ErrorKind.MODERATED, "Content policy violation"),
        (ErrorKind.INVALID, "The video service didn't accept this request."),
    ],
)
async def test_a_failed_job_says_why(caller: Caller, kind: ErrorKind, sentence: str) -> None:
    job_id = await caller.order()
    caller.bench.backend.refusals.append(BackendError(kind, "no"))
    await caller.finish(job_id)

    _, answer = await caller.ask("GET", f"/api/status?jobId={job_id}")
    assert answer["status"] == "failed"
    assert answer["error"].startswith(sentence)
    status, answer = await caller.ask("GET", f"/api/download?jobId={job_id}")
    assert (status, answer["error"]["key"]) == (409, "api.no_video")
    assert sentence in answer["error"]["message"]


async def test_a_job_past_its_deadline_says_timeout(caller: Caller) -> None:
    job_id = await caller.order()
    await caller.bench.step(job_id)
    await caller.bench.step(job_id)
    caller.bench.clock.advance(1801)
    await caller.bench.step(job_id)
    assert (await caller.ask("GET", f"/api/status?jobId={job_id}"))[1] == {
        "status": "failed",
        "progress": 0,
        "error": "Timeout",
    }


async def test_the_same_key_is_the_same_job_and_another_order_under_it_is_refused(
    caller: Caller,
) -> None:
    headers = {"Idempotency-Key": "order-1"}
    first = await caller.order(headers=headers)

    assert await caller.order(headers=headers) == first
    status, answer = await caller.ask("POST", "/api/generate", data=form(), headers=headers)
    assert (status, answer["error"]["key"]) == (422, "api.key_reused")
    status, answer = await caller.ask(
        "POST", "/api/generate", json=FORM, headers=headers, token=OTHER_TOKEN
    )
    assert status == 200
    assert answer["jobId"] != first
    assert await caller.order() != first


async def test_a_job_can_be_cancelled_only_once(caller: Caller) -> None:
    job_id = await caller.order()

    status, answer = await caller.ask("POST", f"/api/cancel?jobId={job_id}")
    assert (status, answer["status"], answer["error"]) == (200, "failed", "Cancelled")
    assert (await caller.ask("POST", f"/api/cancel?jobId={job_id}"))[0] == 409


async def test_the_list_is_sorted_newest_first_and_continues_on_the_next_page(
    caller: Caller,
) -> None:
    jobs = [await caller.order({"scriptOrQuestion": f"number {n}"}) for n in range(23)]

    _, first = await caller.ask("GET", "/api/jobs")
    _, second = await caller.ask("GET", f"/api/jobs?before={first['jobs'][-1]['jobId']}")
    listed = [entry["jobId"] for entry in (*first["jobs"], *second["jobs"])]
    assert sorted(listed) == sorted(jobs)
    assert len(first["jobs"]) == 20


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("openai", "Dieses Video wurde mit KI erstellt."),
        ("storyboard", "Dieses Video wurde von einem Programm gezeichnet, ohne KI."),
    ],
)
async def test_the_list_says_of_finished_videos_alone_whether_ai_made_them(
    caller: Caller, backend: str, sentence: str
) -> None:
    job_id = await caller.order({"scriptOrQuestion": "a cat on a roof"})
    _, listed = await caller.ask("GET", "/api/jobs")
    assert listed["jobs"][0]["madeWith"] is None
    await caller.finish(job_id)
    await caller.bench.database.rows("UPDATE jobs SET backend = :backend", {"backend": backend})
    _, listed = await caller.ask("GET", "/api/jobs", headers={"Accept-Language": "de"})
    assert listed["jobs"][0]["madeWith"] == sentence


async def test_a_client_that_exceeds_its_rate_has_to_wait(caller: Caller) -> None:
    answers = [await caller.ask("GET", "/api/jobs") for _ in range(61)]

    assert [status for status, _ in answers] == [200] * 60 + [429]
    assert answers[-1][1]["error"]["key"] == "api.too_often"
    caller.bench.clock.advance(1)
    assert (await caller.ask("GET", "/api/jobs"))[0] == 200
    assert (await caller.ask("GET", "/api/jobs", token=OTHER_TOKEN))[0] == 200


async def test_tokens_can_not_be_guessed_at_speed(caller: Caller) -> None:
    statuses = [
        (await caller.ask("GET", "/api/jobs", token=f"guess-{number:020}"))[0]
        for number in range(21)
    ]

    assert statuses == [401] * 20 + [429]
    assert (await caller.ask("GET", "/api/jobs"))[0] == 200


async def test_no_answer_lets_another_site_read_it(caller: Caller) -> None:
    headers = {"Authorization": f"Bearer {caller.token}", "Origin": "https://elsewhere.example"}
    async with caller.http.get("/api/jobs", headers=headers) as response:
        assert not [name for name in response.headers if name.startswith("Access-Control")]
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_cancel_abandons_an_unconfirmed_order(caller: Caller) -> None:
    bench = caller.bench
    job_id = await caller.order()
    bench.backend.lists = bench.backend.complete = False
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    while (await bench.now(job_id)).state is not JobState.UNDECIDED:
        await bench.step(job_id)
    _, answer = await caller.ask("GET", f"/api/status?jobId={job_id}")
    assert "may charge twice" in answer["question"]
    _, answer = await caller.ask("GET", "/api/jobs")
    assert "may charge twice" in answer["jobs"][0]["question"]
    status, answer = await caller.ask("POST", f"/api/cancel?jobId={job_id}")
    assert (status, answer["status"]) == (200, "failed")
    assert "question" not in answer


@pytest.mark.parametrize(
    ("language", "found"),
    [("en", "detected: text"), ("de", "erkannt: Text"), ("ja", "テキスト")],
)
async def test_a_file_that_is_not_audio_is_refused_by_its_type_before_a_job_exists(
    caller: Caller, language: str, found: str
) -> None:
    data = FormData(FORM)
    data.add_field("audioBuffer", b"# Notes\n", filename="voice.mp3")
    headers = {"Accept-Language": language}
    status, answer = await caller.ask("POST", "/api/generate", data=data, headers=headers)
    assert (status, answer["error"]["key"]) == (400, "audio.not_audio")
    assert found in answer["error"]["message"]
    assert not await leftovers(caller)

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from bot.media.process.ffmpeg import Ffmpeg
from bot.media.provenance import MARK_BYTES, DigitalSource, append_mark
from bot.media.render.poster_cache import PosterCache
from bot.model import JobState
from tests.support.clients.site import LINK_SECONDS, OTHER_TOKEN, Caller, open_site
from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import aiohttp

    from tests.support.fakes.bench import Bench

PUBLIC = "https://clapper.example"
HOSTILE = '<script>alert("1")</script>\n"><img src=x onerror=alert(1)> & {{share.gone}}'


class Page(HTMLParser):
    """Parses a page as a crawler does."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        if tag == "meta" and (name := given.get("property") or given.get("name")):
            self.meta[name] = given["content"] or ""
        if tag in {"html", "video"}:
            self.attributes |= given

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench, public_url=PUBLIC) as opened:
        yield opened


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return clips.make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1).read_bytes()


async def made(caller: Caller, clip: bytes, script: str = "a cat on a roof") -> str:
    """Order a video, finish it, and replace it by a playable clip."""
    job_id = await caller.order({"scriptOrQuestion": script})
    await caller.finish(job_id)
    await asyncio.to_thread(caller.bench.workspace.video(job_id).write_bytes, clip)
    return job_id


async def shared(caller: Caller, job_id: str) -> str:
    """Share a video, and return the path of its page."""
    status, answer = await caller.ask("POST", f"/api/share?jobId={job_id}")
    assert status == 200, answer
    assert answer["url"].startswith(f"{PUBLIC}/v/{job_id}.")
    return URL(answer["url"]).path


async def withdraw(caller: Caller, job_id: str) -> None:
    path, sent = f"/api/share?jobId={job_id}", {"Authorization": f"Bearer {caller.token}"}
    async with caller.http.delete(path, headers=sent) as response:
        assert (response.status, await response.read()) == (204, b"")


async def get(
    caller: Caller, path: str, method: str = "GET", **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    async with caller.http.request(method, path, headers=headers) as response:
        return response, await response.read()


async def test_a_share_link_is_returned_with_its_expiry(caller: Caller, clip: bytes) -> None:
    job_id = await made(caller, clip)

    status, answer = await caller.ask("POST", f"/api/share?jobId={job_id}")

    assert status == 200
    assert answer["expiresAt"] == int(caller.bench.clock() + LINK_SECONDS)
    assert answer.keys() == {"url", "expiresAt"}


async def test_a_shared_page_has_the_metadata_for_a_preview_with_the_video(
    caller: Caller, clip: bytes
) -> None:
    path = await shared(caller, await made(caller, clip))

    response, body = await get(caller, path)
    page = Page(body.decode())

    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert {name: text for name, text in page.meta.items() if name.startswith("og:")} == {
        "og:site_name": "Clapper",
        "og:type": "video",
        "og:title": "a cat on a roof",
        "og:url": f"{PUBLIC}{path}",
        "og:image": f"{PUBLIC}{path}/poster.jpg",
        "og:video": f"{PUBLIC}{path}/video.mp4",
        "og:video:url": f"{PUBLIC}{path}/video.mp4",
        "og:video:secure_url": f"{PUBLIC}{path}/video.mp4",
        "og:video:type": "video/mp4",
        "og:video:width": "320",
        "og:video:height": "180",
    }
    assert page.attributes["src"] == f"{path.rpartition('/')[2]}/video.mp4"
    assert page.attributes["poster"] == f"{path.rpartition('/')[2]}/poster.jpg"


MADE_WITH = [
    ("openai", "en", "This video was made with AI."),
    ("openai", "de", "Dieses Video wurde mit KI erstellt."),
    ("openai", "ja", "この動画はAIで生成されました。"),
    ("storyboard", "en", "This video was drawn by code, without AI."),
]


@pytest.mark.parametrize(("backend", "locale", "sentence"), MADE_WITH)
async def test_a_shared_page_says_in_the_readers_language_whether_ai_made_the_video(
    caller: Caller, clip: bytes, backend: str, locale: str, sentence: str
) -> None:
    job_id = await made(caller, clip)
    await caller.bench.database.rows("UPDATE jobs SET backend = :backend", {"backend": backend})
    _, body = await get(caller, await shared(caller, job_id), **{"Accept-Language": locale})
    assert sentence in Page(body.decode()).text.split("\n")


async def test_the_mark_at_the_end_of_a_video_is_sent_as_a_range_too(
    caller: Caller, clip: bytes
) -> None:
    job_id = await made(caller, clip)
    video = caller.bench.workspace.video(job_id)
    await asyncio.to_thread(append_mark, video, DigitalSource.MODEL)
    path = await shared(caller, job_id) + "/video.mp4"
    response, end = await get(caller, path, Range=f"bytes=-{MARK_BYTES}")
    assert response.status == 206
    assert (
        response.headers["Content-Range"]
        == f"bytes {len(clip)}-{len(clip) + 1023}/{len(clip) + 1024}"
    )
    assert end.startswith(b"\0\0\x04\0uuid")
    assert b"digitalsourcetype/trainedAlgorithmicMedia<" in end


async def test_what_og_video_points_to_is_the_file_with_ranges(caller: Caller, clip: bytes) -> None:
    path = await shared(caller, await made(caller, clip)) + "/video.mp4"

    whole, body = await get(caller, path)
    head, nothing = await get(caller, path, "HEAD")
    part, piece = await get(caller, path, Range="bytes=4-7")

    assert (whole.status, body) == (200, clip)
    assert whole.headers["Content-Type"] == "video/mp4"
    assert whole.headers["Content-Disposition"].startswith("inline; ")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert (head.status, nothing) == (200, b"")
    assert head.headers["Content-Length"] == str(len(clip))
    assert (part.status, piece) == (206, b"ftyp")
    assert {each.headers["X-Robots-Tag"] for each in (whole, head, part)} == {"noindex, nofollow"}


async def test_the_poster_is_made_once_and_deleted_with_the_video(
    caller: Caller, clip: bytes
) -> None:
    job_id = await made(caller, clip)
    path = await shared(caller, job_id)
    poster = caller.bench.workspace.poster(job_id)

    response, body = await get(caller, f"{path}/poster.jpg")
    first = poster.stat().st_mtime_ns
    await get(caller, path)

    assert (response.status, response.headers["Content-Type"]) == (200, "image/jpeg")
    assert body == poster.read_bytes()
    assert body.startswith(b"\xff\xd8")
    assert poster.stat().st_mtime_ns == first
    stock = await caller.bench.workspace.inventory()
    assert [item.job_id for item in stock.videos] == [job_id] * 2
    assert await caller.bench.retention.delete(job_id)
    assert not poster.exists()


async def test_the_sweep_deletes_a_poster_that_was_left_by_a_crash(
    caller: Caller, clip: bytes
) -> None:
    job_id = await made(caller, clip)
    await caller.bench.retention.delete(job_id)
    poster = caller.bench.workspace.poster(job_id)
    left = (poster, poster.with_name(f"{poster.name}.part"))
    for path in left:
        await asyncio.to_thread(path.write_bytes, b"left")

    await caller.bench.retention.sweep()

    assert not any(path.exists() for path in left)


async def test_concurrent_requests_for_a_poster_run_ffmpeg_once(
    caller: Caller, clip: bytes
) -> None:
    job_id = await made(caller, clip)
    runs = 0

    class Counting(Ffmpeg):
        async def run(self, args: Sequence[str], **options: Any) -> str:
            nonlocal runs
            runs += 1
            return await super().run(args, **options)

    poster_cache = PosterCache(Counting(clips.binary(), slots=2), caller.bench.workspace)
    found = await asyncio.gather(*(poster_cache.get(job_id) for _ in range(5)))

    assert set(found) == {caller.bench.workspace.poster(job_id)}
    assert runs == 1


async def test_a_poster_that_cant_be_made_is_tried_once_and_left_out_of_the_page(
    caller: Caller, clip: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = await made(caller, clip)
    path = caller.bench.workspace.video(job_id)
    # The index is valid, and the frames are not.
    broken = re.sub(rb"(?s)(mdat).*", lambda found: found[1] + bytes(len(found[0]) - 4), clip)
    await asyncio.to_thread(path.write_bytes, broken)
    page_path = await shared(caller, job_id)

    response, body = await get(caller, page_path)

    page = Page(body.decode())
    assert response.status == 200
    assert "og:image" not in page.meta
    assert "poster" not in page.attributes
    assert (await get(caller, f"{page_path}/poster.jpg"))[0].status == 404
    assert [r.getMessage().split()[0] for r in caplog.records if "poster" in r.getMessage()] == [
        "poster.failed"
    ]


async def test_a_script_is_escaped_everywhere_on_the_page(caller: Caller, clip: bytes) -> None:
    path = await shared(caller, await made(caller, clip, HOSTILE))

    _, body = await get(caller, path)

    page = Page(body.decode())
    assert "<script" not in body.decode()
    assert not {"script", "img"} & set(page.tags)
    assert page.meta["og:title"].startswith('<script>alert("1")</script> "><img')
    assert HOSTILE in page.text


async def test_a_long_script_is_shortened_in_the_title_and_in_the_description(
    caller: Caller, clip: bytes
) -> None:
    script = "The tide comes in over the black sand " * 12
    path = await shared(caller, await made(caller, clip, script))

    page = Page((await get(caller, path))[1].decode())

    assert page.meta["og:title"] == script[:69].rsplit(" ", 1)[0] + "…"
    assert 150 < len(page.meta["og:description"]) <= 200
    assert page.meta["og:description"].endswith("…")


async def test_the_page_is_not_indexed_and_has_a_strict_content_policy(
    caller: Caller, clip: bytes
) -> None:
    path = await shared(caller, await made(caller, clip))

    for each in (path, "/v/nothing"):
        response, body = await get(caller, each)
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert Page(body.decode()).meta["robots"] == "noindex, nofollow"
        assert "style=" not in body.decode()


@pytest.mark.parametrize(("spoken", "word"), [("de-AT", "Herunterladen"), ("ja", "ダウンロード")])
async def test_the_page_is_in_the_viewers_language(
    caller: Caller, clip: bytes, spoken: str, word: str
) -> None:
    path = await shared(caller, await made(caller, clip))

    response, body = await get(caller, path, **{"Accept-Language": f"{spoken},en;q=0.5"})

    assert word in body.decode()
    assert Page(body.decode()).attributes["lang"] == spoken[:2]
    assert response.headers["Vary"] == "Accept-Language"


async def test_expired_and_withdrawn_links_and_those_of_deleted_videos_get_the_same_404(
    caller: Caller, clip: bytes
) -> None:
    expired, withdrawn, deleted = [await made(caller, clip) for _ in range(3)]
    paths = {job_id: await shared(caller, job_id) for job_id in (withdrawn, deleted)}
    assert await statuses(caller, paths[withdrawn]) == {200}
    assert await caller.bench.retention.delete(deleted)
    await withdraw(caller, withdrawn)
    paths[expired] = await shared(caller, expired)
    caller.bench.clock.advance(LINK_SECONDS)

    for path in (*paths.values(), "/v/nothing", f"/v/{'0' * 32}.1.0.{'A' * 43}"):
        assert await statuses(caller, path) == {404}
    bodies = {(await get(caller, path))[1] for path in (*paths.values(), "/v/nothing")}
    assert len(bodies) == 1


async def statuses(caller: Caller, path: str) -> set[int]:
    """Return the status codes of a page, its video and its poster."""
    answers = [await get(caller, path + part) for part in ("", "/video.mp4", "/poster.jpg")]
    return {response.status for response, _ in answers}


async def test_a_withdrawn_video_can_be_shared_again(caller: Caller, clip: bytes) -> None:
    job_id = await made(caller, clip)
    old = await shared(caller, job_id)
    await withdraw(caller, job_id)

    new = await shared(caller, job_id)

    assert await statuses(caller, old) == {404}
    assert await statuses(caller, new) == {200}


async def test_only_the_owner_can_share_a_video_and_only_while_it_exists(
    caller: Caller, clip: bytes
) -> None:
    job_id, open_job = await made(caller, clip), await caller.order()

    async def refused(path: str, **options: Any) -> tuple[int, str]:
        status, answer = await caller.ask("POST", f"/api/share{path}", **options)
        return status, answer["error"]["key"]

    assert await refused(f"?jobId={job_id}", token=OTHER_TOKEN) == (404, "api.unknown_job")
    assert await refused(f"?jobId={job_id}", token=None) == (401, "api.unauthorized")
    assert await refused(f"?jobId={open_job}") == (409, "api.not_ready")
    assert await refused("") == (400, "api.no_job_id")
    await caller.bench.retention.delete(job_id)
    assert await refused(f"?jobId={job_id}") == (404, "api.unknown_job")


async def test_nothing_can_be_shared_without_a_public_url(bench: Bench, clip: bytes) -> None:
    async with open_site(bench) as caller:
        job_id = await made(caller, clip)
        status, answer = await caller.ask("POST", f"/api/share?jobId={job_id}")

    assert (status, answer["error"]["key"]) == (409, "api.no_address")


async def test_a_video_from_discord_has_a_page_too(caller: Caller, clip: bytes) -> None:
    job = await caller.bench.at(JobState.SUCCEEDED)
    await asyncio.to_thread(caller.bench.workspace.video(job.id).write_bytes, clip)

    response, _ = await get(caller, URL(caller.links.share(job.id, serial=0).url).path)

    assert response.status == 200


async def test_the_pages_files_are_cached_until_they_change(caller: Caller) -> None:
    for name, kind in (("video.css", "text/css"), ("icon.svg", "image/svg+xml")):
        response, body = await get(caller, f"/v/{name}")
        assert response.headers["Content-Type"] == f"{kind}; charset=utf-8"
        tag = response.headers["ETag"]
        again, nothing = await get(caller, f"/v/{name}", **{"If-None-Match": tag})
        assert body
        assert (again.status, nothing, again.headers["ETag"]) == (304, b"", tag)

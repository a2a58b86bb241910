from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.clients.site import TOKEN, Caller, open_site
from tests.support.desk import make_narrator
from tests.support.fakes.backend import CLIP
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.media import FakeVoice
from tests.support.media import clips

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

_ROOT = Path(__file__).parents[2]
_SCRIPT = _ROOT / "docs" / "flows.sh"


async def make_all(caller: Caller) -> None:
    """Make every video that is ordered, as the worker does."""
    while True:
        for job in await caller.clients.page("web", limit=50):
            if not job.state.is_final:
                await caller.finish(job.id)
        await asyncio.sleep(0.01)


async def walk(caller: Caller, *files: Path, websocat: str) -> tuple[int | None, str, str]:
    """Run the script to its end; return its exit code and its output."""
    # A file, because the WebSocket client may outlive the script for a while, and hold a pipe open.
    with tempfile.TemporaryFile() as err:
        script = await asyncio.create_subprocess_exec(
            *("bash", str(_SCRIPT), *map(str, files)),
            cwd=_ROOT,
            env={
                "PATH": os.environ["PATH"],
                "URL": caller.url,
                "TOKEN": TOKEN,
                "WEBSOCAT": websocat,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=err,
        )
        async with asyncio.timeout(6 * PATIENCE):
            out, _ = await script.communicate()
        err.seek(0)
        return script.returncode, out.decode(), err.read().decode()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_the_script_walks_all_flows(bench: Bench, clock: Clock, tmp_path: Path) -> None:
    voice, video = tmp_path / "voice.ogg", tmp_path / "out.mp4"
    voice.write_bytes(b"OggS a voice")
    tone = clips.make_tone(tmp_path / "tone.mp3", seconds=1)
    narrator = make_narrator(bench, clock, FakeVoice(tone.read_bytes()))
    async with open_site(bench, narrator=narrator) as caller:
        making = asyncio.create_task(make_all(caller))
        client = f"{sys.executable} -m tests.support.clients.websocat"
        code, output, _ = await walk(caller, voice, video, websocat=client)
        making.cancel()
        assert code == 0
        lines = output.splitlines()
        *streamed, polled, part, second, jobs, poster, deleted = lines[:-4]
        spoken, locked, version, unknown = lines[-4:]
        ordered, *stream = streamed
        job_id = json.loads(ordered)["jobId"]
        assert {json.loads(line)["jobId"] for line in stream} == {job_id}
        assert json.loads(stream[-1])["status"] == "completed"
        assert json.loads(polled) == {"status": "completed", "progress": 100}
        assert video.read_bytes().startswith(CLIP)
        assert (poster, deleted) == ("404", "204")  # the clip is no picture
        assert not bench.workspace.video(job_id).exists()
        assert len(json.loads(jobs)["jobs"]) == 2
        assert spoken == "200"
        assert json.loads(second)["jobId"] != job_id
        assert json.loads(locked)["error"]["message"].startswith("model can't be set")
        assert (part, version, unknown) == ("206", "400", "404")


async def test_without_its_client_the_script_orders_nothing(bench: Bench, tmp_path: Path) -> None:
    voice, video = tmp_path / "voice.ogg", tmp_path / "out.mp4"
    voice.write_bytes(b"OggS a voice")
    async with open_site(bench) as caller:
        code, out, err = await walk(caller, voice, video, websocat="no-such-client -n")
        assert not await caller.clients.page("web", limit=50)
    assert (code, out) == (1, "")
    assert err.startswith("no-such-client is missing: install it, or name another in WEBSOCAT")


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_a_refusal_is_not_written_as_if_it_were_the_video(
    bench: Bench, tmp_path: Path
) -> None:
    voice, video = tmp_path / "voice.ogg", tmp_path / "out.mp4"
    voice.write_bytes(b"OggS a voice")
    async with open_site(bench) as caller:
        # It follows nothing, so the video is not ready when it is fetched.
        code, _, err = await walk(caller, voice, video, websocat="true")
    assert code not in (0, None)
    assert "error" in err
    assert not video.exists()


def test_the_page_on_the_api_prints_the_script() -> None:
    page = (_ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert _SCRIPT.read_text(encoding="utf-8") in page

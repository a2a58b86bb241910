from __future__ import annotations

import asyncio
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError, StartupError
from bot.media.process import child as child_module
from bot.media.process.child import LostChildError, ProcessLimits
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from tests.support.child_processes import children
from tests.support.media import clips
from tests.support.media.progress import Started

if TYPE_CHECKING:
    from pathlib import Path

TONE = ("-f", "lavfi", "-i", "sine=duration=2")
LONG = ("-f", "lavfi", "-i", "sine=duration=3600")
ENDLESS = ("-re", "-f", "lavfi", "-i", "sine", "-f", "null", "-")


# A bot that prints its child's process id, and then waits for the child.
BOT = """
import asyncio, os, pathlib, sys
from bot.media.process.child import ProcessLimits
from bot.media.process.ffmpeg import Ffmpeg

def report(seconds):
    print(pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text(), flush=True)

args = ["-re", "-f", "lavfi", "-i", "sine", "-f", "null", "-"]
ffmpeg, folder = map(pathlib.Path, sys.argv[1:])
runner = Ffmpeg(ffmpeg, slots=1)
asyncio.run(runner.run(args, cwd=folder, limits=ProcessLimits(), on_progress=report))
"""


@pytest.fixture
async def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


def script(path: Path, body: str) -> Path:
    """Write an executable shell script to `path`."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return path


async def test_a_run_returns_what_ffmpeg_wrote_to_stderr(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    stderr = await ffmpeg.run([*TONE, "out.wav"], cwd=tmp_path, limits=ProcessLimits())
    assert "pcm_s16le" in stderr
    assert (tmp_path / "out.wav").stat().st_size > 2 * 44100 * 2


async def test_a_failure_carries_the_end_of_stderr(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="ffmpeg ended with code") as caught:
        await ffmpeg.run(
            ["-i", "file:nothing.mp4", "out.mp4"], cwd=tmp_path, limits=ProcessLimits()
        )
    assert "No such file" in caught.value.stderr_tail


async def test_progress_is_in_seconds_of_output_and_never_decreases(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    progress = Started()
    await ffmpeg.run([*TONE, "out.wav"], cwd=tmp_path, limits=ProcessLimits(), on_progress=progress)
    assert progress.seconds == sorted(progress.seconds)
    assert progress.seconds[-1] == pytest.approx(2, abs=0.1)


async def test_the_wall_clock_limit_kills_the_child(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"longer than 0\.3 s"):
        await ffmpeg.run(ENDLESS, cwd=tmp_path, limits=ProcessLimits(wall_seconds=0.3))
    assert children() == {}


async def test_the_cpu_limit_kills_the_child(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    busy = ("-f", "lavfi", "-i", "testsrc2=s=1920x1080", "-f", "null", "-")
    with pytest.raises(MediaError, match="code 255"):
        await ffmpeg.run(busy, cwd=tmp_path, limits=ProcessLimits(cpu_seconds=1))


async def test_the_file_size_limit_holds(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        await ffmpeg.run([*LONG, "o.wav"], cwd=tmp_path, limits=ProcessLimits(file_bytes=50_000))
    assert (tmp_path / "o.wav").stat().st_size <= 50_000


async def test_cancelling_leaves_no_child(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    started = Started()
    run = asyncio.create_task(
        ffmpeg.run(ENDLESS, cwd=tmp_path, limits=ProcessLimits(), on_progress=started)
    )
    await started.event.wait()
    assert children()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert children() == {}


async def test_cancelling_at_any_moment_leaves_no_child(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    for moment in range(30):
        run = asyncio.create_task(ffmpeg.run(ENDLESS, cwd=tmp_path, limits=ProcessLimits()))
        for _ in range(moment):
            await asyncio.sleep(0)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert children() == {}


async def test_a_cancelled_run_frees_its_slot(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    started = Started()
    run = asyncio.create_task(
        ffmpeg.run(ENDLESS, cwd=tmp_path, limits=ProcessLimits(), on_progress=started)
    )
    await started.event.wait()
    waiting = asyncio.create_task(
        ffmpeg.run([*TONE, "o.wav"], cwd=tmp_path, limits=ProcessLimits())
    )
    run.cancel()
    await waiting
    assert (tmp_path / "o.wav").exists()
    assert run.cancelled()


async def test_only_as_many_children_run_as_there_are_slots(tmp_path: Path) -> None:
    running = script(
        tmp_path / "ffmpeg",
        "mkdir alone || exit 9; i=0; while [ $i -lt 999 ]; do i=$((i+1)); done; rmdir alone",
    )
    one = Ffmpeg(running, slots=1)
    await asyncio.gather(*(one.run([], cwd=tmp_path, limits=ProcessLimits()) for _ in range(5)))


async def test_a_failing_listener_ends_the_child(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    def fail(_seconds: float) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ffmpeg.run(ENDLESS, cwd=tmp_path, limits=ProcessLimits(), on_progress=fail)
    assert children() == {}


async def test_only_the_end_of_a_long_stderr_is_kept(tmp_path: Path) -> None:
    talker = script(tmp_path / "ffmpeg", "head -c 3000000 /dev/zero >&2; echo end >&2")
    stderr = await Ffmpeg(talker, slots=1).run([], cwd=tmp_path, limits=ProcessLimits())
    assert stderr.endswith("end\n")
    assert len(stderr) == 64 * 1024


async def test_the_child_does_not_inherit_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "s3cr3t")
    curious = script(tmp_path / "ffmpeg", "env >&2")
    stderr = await Ffmpeg(curious, slots=1).run([], cwd=tmp_path, limits=ProcessLimits())
    assert "PATH=" in stderr
    assert "s3cr3t" not in stderr


async def test_the_child_runs_confined_and_with_low_priority(tmp_path: Path) -> None:
    # The limits may be set shortly after the start, so the script waits until they apply.
    waits = script(
        tmp_path / "ffmpeg",
        "until [ $(ulimit -c) = 0 ] && [ $(ulimit -n) = 64 ]; do :; done; ulimit -a >&2; nice >&2",
    )
    stderr = await Ffmpeg(waits, slots=1).run(
        [], cwd=tmp_path, limits=ProcessLimits(cpu_seconds=7, memory_bytes=512 * 1024**2)
    )
    assert "524288" in stderr
    assert int(stderr.split()[-1]) >= max(10, os.nice(0))


@pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="setpriv kills the child with its parent"
)
async def test_a_killed_bot_leaves_no_child(tmp_path: Path) -> None:
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        BOT,
        str(clips.binary()),
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )
    assert bot.stdout is not None
    child = os.pidfd_open(int(await bot.stdout.readline()))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(child, ended.set)
    bot.kill()
    async with asyncio.timeout(10):
        await ended.wait()
    asyncio.get_running_loop().remove_reader(child)
    os.close(child)
    await bot.wait()


async def test_ffmpeg_runs_without_setpriv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    await Ffmpeg(await find_ffmpeg(), slots=1).run(
        [*TONE, "out.wav"], cwd=tmp_path, limits=ProcessLimits()
    )
    assert (tmp_path / "out.wav").exists()


async def test_a_setpriv_without_the_needed_options_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "setpriv", "echo 'unrecognized option: pdeathsig' >&2\nexit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    await Ffmpeg(clips.binary(), slots=1).run(
        [*TONE, "out.wav"], cwd=tmp_path, limits=ProcessLimits()
    )
    assert (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_child_that_never_starts_counts_as_lost(
    *, guarded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guarded:
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LostChildError):
        await Ffmpeg(tmp_path / "missing", slots=1).run([], cwd=tmp_path, limits=ProcessLimits())


async def test_a_child_that_is_killed_from_outside_counts_as_lost(tmp_path: Path) -> None:
    killed = script(tmp_path / "ffmpeg", "kill -9 $$")
    with pytest.raises(LostChildError, match="SIGKILL"):
        await Ffmpeg(killed, slots=1).run([], cwd=tmp_path, limits=ProcessLimits())


async def test_the_systems_ffmpeg_is_preferred_if_it_is_suitable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = script(
        tmp_path / "ffmpeg",
        'case "$2" in -version) echo "libavutil      57. 28.100 / 57. 28.100";;\n'
        '*) echo " V....D libx264  H.264"; echo " A....D aac  AAC";; esac',
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await find_ffmpeg() == good


@pytest.mark.parametrize(
    "answers",
    [
        'echo "libavutil      56. 70.100 / 56. 70.100 libx264 aac"',
        'echo "libavutil      57. 28.100 / 57. 28.100 libopenh264 aac"',
        "exit 1",
        "while :; do :; done",
    ],
    ids=["too old", "no libx264", "broken", "hangs"],
)
async def test_an_unsuitable_ffmpeg_of_the_system_is_ignored(
    answers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfit = script(tmp_path / "ffmpeg", answers)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(child_module, "_PROBE_SECONDS", 1)
    assert await find_ffmpeg() != unfit
    assert children() == {}


async def test_no_usable_ffmpeg_names_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "missing"))
    with pytest.raises(StartupError, match="apt install ffmpeg"):
        await find_ffmpeg()

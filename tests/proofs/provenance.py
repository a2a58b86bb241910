"""Proves with exiftool and c2pa-python what `docs/provenance.md` says.

`make proof-provenance` runs it. It installs exiftool (on Debian, as root), and c2pa-python into an
environment of its own. Its results are kept for `make proof-playback`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.jobs.editor import NarrationEditor
from bot.media.files.download import AttachmentFetcher
from bot.media.files.workspace import Workspace
from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.provenance import DigitalSource, append_mark
from bot.media.render.convert import convert
from bot.media.render.encoded_narration import encode_narration
from bot.media.render.merge_narration import merge, repair
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.media.render.shrink import shrink_video
from bot.speech.mp3 import write_mp3
from bot.storyboard.clip_renderer import ClipRenderer
from bot.storyboard.clip_store import ClipOrder
from tests.proofs.media import RESULTS
from tests.proofs.peers.installing import CannotInstallError, from_pypi, run
from tests.support.media import clips
from tests.support.media.marks import TERMS

if TYPE_CHECKING:
    from collections.abc import Mapping

_C2PA = "c2pa-python==0.38.1"
_JOB = "0123456789abcdef" * 2
_NO_EXIFTOOL = "No exiftool: install it (Debian: apt install libimage-exiftool-perl)."
_MERGES = {
    "merged": NarrationOptions(fit=NarrationFit.TRIM),
    "held": NarrationOptions(fit=NarrationFit.HOLD),
    "looped": NarrationOptions(fit=NarrationFit.LOOP),
    "ducked": NarrationOptions(mix=NarrationMix.DUCK),
    "copied": NarrationOptions(),
    "spoken": NarrationOptions(spoken=True),
}
_COPIED = {"copied"}  # with a sound that was encoded before


class Studio:
    """Makes one video of each kind in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ffmpeg = Ffmpeg(clips.binary(), slots=1)

    async def make_all(self) -> dict[Path, str]:
        """Return the videos, with the digital source type that each should have."""
        made = {await self.narrated(name): _expected(name) for name in _MERGES}
        made[await self.spoken()] = DigitalSource.MODEL
        made[await self.drawn()] = DigitalSource.CODE
        made[await self.narrated("merged", of=await self.drawn(), to="drawn-merged")] = (
            DigitalSource.MIX
        )
        for make in (self.repaired, self.turned, self.converted, self.shrunk):
            made[await make()] = DigitalSource.MODEL
        merged = self.folder / "merged.mp4"
        made[await self.shrunk(merged, "merged-shrunk")] = DigitalSource.MIX_WITH_MODEL
        return {path: TERMS + source for path, source in made.items()}

    async def narrated(self, name: str, *, of: Path | None = None, to: str = "") -> Path:
        """Lay a narration of five seconds over a clip of two."""
        clip = of or self._clip()
        sound = clips.make_speech(self.folder / "speech.wav", seconds=5)
        narration = await ingest(self.ffmpeg, sound, self.folder / "narration.wav", max_seconds=30)
        if name in _COPIED:
            await encode_narration(self.ffmpeg, narration)
        target = self.folder / f"{to or name}.mp4"
        await merge(self.ffmpeg, clip, narration, target, _MERGES[name])
        return target

    async def spoken(self) -> Path:
        """Write speech as `/narrate` does."""
        sound = clips.make_speech(self.folder / "speech.wav")
        wav = self.folder / "narration.wav"
        speech = await ingest(self.ffmpeg, sound, wav, max_seconds=30)
        await write_mp3(self.ffmpeg, speech, self.folder / "speech.mp3")
        return self.folder / "speech.mp3"

    async def drawn(self) -> Path:
        """Have the storyboard draw a clip."""
        order = ClipOrder(prompt="A kite", model="storyboard", seconds=2, size="640x360")
        film = await ClipRenderer(self.ffmpeg).render(order, self.folder, lambda _: None)
        return film.rename(self.folder / "drawn.mp4")

    async def repaired(self) -> Path:
        """Repair a clip whose index is last, without encoding it."""
        clip = clips.make_clip(self.folder / "last.mp4", faststart=False)
        return await self._repair(clip, "repaired")

    async def turned(self) -> Path:
        """Repair a clip whose picture is stored sideways."""
        clip = self.folder / "sideways.mp4"
        rotation = ("-display_rotation", "90")
        clips.ffmpeg(*rotation, "-i", str(self._clip()), "-c", "copy", str(clip))
        return await self._repair(clip, "turned")

    async def converted(self) -> Path:
        """Convert a WebM."""
        clip = self.folder / "converted.mp4"
        codecs = ("-c:v", "libvpx", "-c:a", "libopus", "-f", "webm")
        clips.ffmpeg("-i", str(self._clip()), *codecs, str(clip))
        assert await convert(self.ffmpeg, clip)
        return clip

    async def shrunk(self, original: Path | None = None, name: str = "shrunk") -> Path:
        """Make a smaller copy."""
        clip = original or self._clip()
        limit = clip.stat().st_size * 2 // 3
        shrunk = await shrink_video(
            self.ffmpeg, clip, self.folder / f"{name}.mp4", limit_bytes=limit
        )
        assert shrunk.path != clip
        assert shrunk.path.stat().st_size <= limit
        return shrunk.path

    async def pass_untouched(self, clip: Path) -> Path:
        """Finish and publish a clip without a narration, as a job does."""
        workspace = Workspace(self.folder / "data")
        folder = await workspace.create(_JOB)
        shutil.copyfile(clip, folder.clip)
        async with aiohttp.ClientSession() as session:
            editor = NarrationEditor(
                self.ffmpeg,
                self.ffmpeg,
                AttachmentFetcher(session, hosts=frozenset(), max_bytes=1),
                workspace,
                options=NarrationOptions(),
                max_seconds=30,
            )
            video = await editor.finish(_JOB, narrated=False)
        await workspace.publish(_JOB, video, now=0)
        return workspace.video(_JOB)

    def _clip(self) -> Path:
        return clips.make_clip(self.folder / "clip.mp4")

    async def _repair(self, clip: Path, name: str) -> Path:
        target = self.folder / f"{name}.mp4"
        assert await repair(self.ffmpeg, clip, target)
        return target


class Report:
    """Prints a line for each check, and counts those that failed."""

    def __init__(self) -> None:
        self.faults = 0

    def add(self, what: str, *, found: object, expected: object) -> None:
        """Compare what was found with what is expected."""
        right = found == expected
        self.faults += not right
        sys.stdout.write(f"{'ok' if right else 'WRONG'}: {what}: {found}\n")


def _expected(name: str) -> DigitalSource:
    return DigitalSource.MODEL if name == "spoken" else DigitalSource.MIX_WITH_MODEL


def _provide_exiftool() -> None:
    if shutil.which("exiftool") is not None:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise CannotInstallError(_NO_EXIFTOOL)
    run("apt-get", "update", "--quiet")
    run("apt-get", "install", "--quiet", "--yes", "libimage-exiftool-perl")


def _output_of(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    return done.stdout


def _read_by_exiftool(video: Path) -> list[str]:
    """Return each digital source type that exiftool finds; `-a`: also of a second packet."""
    return _output_of("exiftool", "-a", "-s3", "-DigitalSourceType", str(video)).split()


def _ask_c2pa(programs: Path, *arguments: str | Path) -> Any:
    child = Path(__file__).with_name("c2pa_child.py")
    said = _output_of(str(programs / "python"), str(child), *map(str, arguments))
    return json.loads(said) if said else None


async def _judge_marks(studio: Studio, report: Report) -> None:
    videos: Mapping[Path, str] = await studio.make_all()
    RESULTS.mkdir(parents=True, exist_ok=True)
    for video, source in videos.items():
        report.add(video.name, found=_read_by_exiftool(video), expected=[source])
        shutil.copyfile(video, RESULTS / f"marked-{video.name}")


async def _judge_manifest(studio: Studio, report: Report, programs: Path) -> None:
    clip = clips.make_clip(studio.folder / "service.mp4")
    signed = studio.folder / "signed.mp4"
    _ask_c2pa(programs, "sign", clip, signed)
    kept = await studio.pass_untouched(signed)
    report.add("untouched", found=kept.read_bytes() == signed.read_bytes(), expected=True)
    appended = Path(shutil.copyfile(signed, studio.folder / "appended.mp4"))
    append_mark(appended, DigitalSource.MODEL)
    merged = await studio.narrated("merged", of=signed, to="signed-merged")
    states = _ask_c2pa(programs, "judge", signed, kept, appended, merged)
    # That no list of trust has the certificate makes no signature invalid.
    valid = ["Valid", ["signingCredential.untrusted"]]
    report.add("signed by the service", found=states[0], expected=valid)
    report.add("signed, passed untouched", found=states[1], expected=valid)
    report.add("signed, then appended to", found=states[2][0], expected="Invalid")
    report.add("signed, then merged", found=states[3], expected=None)
    found = _read_by_exiftool(merged)
    report.add("its mark", found=found, expected=[TERMS + DigitalSource.MIX_WITH_MODEL])


async def _judge(folder: Path, programs: Path) -> int:
    studio, report = Studio(folder), Report()
    await _judge_marks(studio, report)
    await _judge_manifest(studio, report, programs)
    sys.stdout.write(f"{report.faults} faults\n")
    return min(report.faults, 1)


def main() -> int:
    """Run the proof; 1: something is wrong, 2: a tool can't be installed."""
    try:
        _provide_exiftool()
        programs = from_pypi("c2pa", _C2PA)
    except CannotInstallError as error:
        sys.stdout.write(f"{error}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        return asyncio.run(_judge(Path(folder), programs))


if __name__ == "__main__":
    sys.exit(main())

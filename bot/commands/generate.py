"""`generate`: one video from the command line, without Discord."""

from __future__ import annotations

import asyncio
import errno
import os
import shlex
import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bot.api_clients.status import PublicStatus, read, say
from bot.commands.checks.unused_provider import unused_provider
from bot.errors import DeliveryError, StartupError, UserError
from bot.media.files.atomic import commit
from bot.runtime.adapters import open_backend
from bot.runtime.engine import make_workers, open_engine
from bot.runtime.http_server import webhooks
from bot.runtime.log_setup import configure_logs
from bot.runtime.resources import open_resources
from bot.settings.fields import load_settings
from bot.texts import Texts
from bot.web.http.server import WebServer

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable
    from typing import NoReturn, TextIO

    from bot.artifacts import Artifact, Handover
    from bot.model import Job, Trouble
    from bot.runtime.engine import Engine
    from bot.settings.fields import Settings

CLIENT = "cli"
_FILE = "video.mp4"
_CHUNK = 256 * 1024
_BAR = 30
_GRACE_SECONDS = 20.0


class Generate:
    """Orders a video, waits for it with a progress bar, and writes it to a file."""

    name = "generate"
    summary = "make one video from the command line, without Discord"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the script, the narration, and where the video goes."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("script", nargs="?", help="what the video should show")
        what.add_argument(
            "--resume", metavar="JOB", help="go on with a job that was interrupted, at no new cost"
        )
        parser.add_argument(
            "--retry",
            action="store_true",
            help="with --resume: order again what nobody knows of, which may cost twice",
        )
        parser.add_argument("--audio", type=Path, help="a narration to lay over it")
        parser.add_argument(
            *("-o", "--output"),
            type=Path,
            default=Path(_FILE),
            metavar="FILE",
            help=f"where the video goes, a file that is not there yet; default: {_FILE}",
        )

    def run(self, options: argparse.Namespace) -> int:
        """Check what can be checked before anything is spent, then make it."""
        if options.retry and not options.resume:
            raise StartupError("--retry goes with --resume JOB: it decides about that job.")
        if options.audio and not options.audio.is_file():
            raise StartupError(f"--audio: there is no file {options.audio}.")
        _check_output(options.output)
        settings = load_settings()
        # The bar is the show: what is logged for operators would draw over it.
        configure_logs(settings, level="ERROR" if settings.log_level == "INFO" else None)
        if idle := unused_provider(settings):
            sys.stderr.write(f"{idle}\n")
        return asyncio.run(_generate(settings, options))


def _check_output(output: Path) -> None:
    parent = output.absolute().parent
    if output.is_dir():
        raise StartupError(f"--output: {output} is a folder; name a file, like {output / _FILE}.")
    # Not exists(): what a link leads to may be missing, and the link would be lost.
    if os.path.lexists(output):
        raise StartupError(f"--output: {output} is there already; name another file with -o.")
    if not parent.is_dir():
        raise StartupError(f"--output: there is no folder {parent}.")
    if not os.access(parent, os.W_OK):
        raise StartupError(f"--output: the folder {parent} can't be written; name another.")


class ProgressBar:
    """A progress bar in one line of a terminal; elsewhere, a line for each change."""

    def __init__(
        self, out: TextIO, texts: Texts, trouble: Callable[[], Trouble | None] = lambda: None
    ) -> None:
        self._out = out
        self._texts = texts
        self._trouble = trouble
        self._live = out.isatty()
        self._drawn = ""

    def draw(self, job: Job) -> None:
        """Show how a job stands."""
        reading = read(job, self._texts, trouble=self._trouble())
        filled = "█" * (reading.progress * _BAR // 100)
        stage = reading.waiting or self._texts(f"state.{job.state}")
        line = f"{filled:░<{_BAR}} {reading.progress:3d}%  {stage}"
        if line != self._drawn:
            self._out.write(f"\r\x1b[K{line}" if self._live else f"{line}\n")
            self._out.flush()
            self._drawn = line

    def close(self) -> None:
        """Leave the line."""
        if self._live and self._drawn:
            self._out.write("\n")


class _NoDiscord:
    """Stands where deliveries go; a client's jobs are fetched, and never come here."""

    async def find_message(self, job: Job) -> int | None:
        """Refuse."""
        self._refuse(job)

    async def show(self, job: Job) -> None:
        """Refuse."""
        self._refuse(job)

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:  # noqa: ARG002 - as declared
        """Refuse."""
        self._refuse(job)

    async def notify(self, job: Job, artifact: Artifact) -> bool:  # noqa: ARG002 - as declared
        """Refuse."""
        self._refuse(job)

    def _refuse(self, job: Job) -> NoReturn:
        raise DeliveryError(f"job {job.id} needs Discord")


async def _generate(settings: Settings, options: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        resources = await open_resources(settings, stack)
        backend = await open_backend(resources, stack)
        engine = await open_engine(resources, backend, stack, client=CLIENT)
        # Not for its pages: a provider on this machine may call back.
        server = WebServer(webhooks(engine).routes, resources.listener, is_ready=lambda: True)
        await server.start()
        stack.push_async_callback(server.close)
        texts = Texts.load()
        await engine.circuit.resume()
        try:
            job = await _order(engine, options)
        except UserError as error:
            sys.stderr.write(f"{say(texts, error.key, 'en', error.fields)}\n")
            return 1
        ended = await _make(
            engine,
            job,
            ProgressBar(sys.stderr, texts, lambda: engine.clients.trouble),
            options.output,
        )
        return await _report(engine, ended, options.output, texts)


async def _order(engine: Engine, options: argparse.Namespace) -> Job:
    if options.resume:
        job = await engine.clients.get(CLIENT, options.resume)
        if job is None:
            raise UserError("api.unknown_job")
        if options.retry and (job := await engine.clients.retry(job)) is None:
            raise UserError("api.no_question")
        return job
    upload = None
    if options.audio:
        chunks = _chunks(options.audio)
        upload = await engine.clients.take_in(chunks, filename=options.audio.name)
    return await engine.clients.submit(CLIENT, options.script, upload)


async def _make(engine: Engine, job: Job, bar: ProgressBar, output: Path) -> Job:
    """Let the lanes work until the job has ended, and return it."""
    workers = make_workers(engine, _NoDiscord())
    tasks = [asyncio.create_task(worker.run(), name="lane") for worker in workers]
    try:
        return await engine.clients.wait(job, bar.draw)
    except asyncio.CancelledError:
        bar.close()
        sys.stderr.write(f"Interrupted. To go on: {_again(job, output)}\n")
        raise
    finally:
        bar.close()
        await asyncio.gather(*(worker.stop(grace=_GRACE_SECONDS) for worker in workers))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _again(job: Job, output: Path, *more: str) -> str:
    command = ("-m", "bot", "generate", "--resume", job.id, *more, "-o", str(output))
    return shlex.join((sys.executable, *command))


async def _report(engine: Engine, job: Job, output: Path, texts: Texts) -> int:
    reading = read(job, texts)
    if reading.question is not None:
        again = _again(job, output, "--retry")
        sys.stderr.write(f"{reading.question}\nTo try again all the same: {again}\n")
        return 1
    if reading.status is not PublicStatus.COMPLETED:
        sys.stderr.write(f"{reading.error}\n")
        return 1
    if job.note:
        sys.stderr.write(f"{texts(job.note)}\n")
    video = engine.clients.video(job)
    if await engine.clients.artifact(job) is None or not video.exists():
        sys.stderr.write(f"{texts('api.expired')}\n")
        return 1
    try:
        await asyncio.to_thread(_copy, video, output, job.id)
    except OSError as error:
        again = _again(job, output)
        sys.stderr.write(
            f"The video is made and kept, but {output} can't be written ({error.strerror}).\n"
            f"To fetch it at no new cost, with -o also into another file: {again}\n"
        )
        return 1
    await engine.clients.note_fetched(job)
    sys.stdout.write(f"{output}\n")
    return 0


def _copy(video: Path, output: Path, job_id: str) -> None:
    part = output.with_name(f".{job_id}.part")
    try:
        shutil.copyfile(video, part)
        # Somebody else may have written it while the video was made.
        if os.path.lexists(output):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(output))
        commit(part, output)
    finally:
        part.unlink(missing_ok=True)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk

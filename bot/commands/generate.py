"""The command `generate`: makes one video without Discord."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shlex
import shutil
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.api_clients.status import PublicStatus, public_job, sentence_in_utc
from bot.commands.checks.configuration.unused_provider import unused_provider
from bot.commands.lasting_stream import LastingStream
from bot.commands.progress_bar import ProgressBar
from bot.errors import StartupError, UserError
from bot.media.files.atomic import commit
from bot.model import JobState
from bot.runtime.adapters import open_backend
from bot.runtime.engine import open_engine
from bot.runtime.http_server import operator_routes, webhooks
from bot.runtime.log_setup import configure_logs
from bot.runtime.parts.keeping import make_links
from bot.runtime.parts.voices import make_voice_sounds
from bot.runtime.resources import open_resources
from bot.runtime.roles.worker import NoDiscord
from bot.runtime.stop_signals import on_stop_signals
from bot.runtime.workers import make_workers
from bot.settings.fields import load_settings
from bot.texts import Texts
from bot.web.http.server import WebServer
from bot.web.pages.voice_links import VoiceLinks
from bot.web.webhooks import WEBHOOK_PATH

if TYPE_CHECKING:
    import argparse
    import signal
    from collections.abc import AsyncIterator

    from bot.model import Job
    from bot.runtime.engine import Engine
    from bot.settings.fields import Settings

CLIENT = "cli"
_FILE = "video.mp4"
_CHUNK = 256 * 1024
_GRACE_SECONDS = 20.0
_LOOK_SECONDS = 0.1
# after a signal, shells report this number plus the signal's number as the exit code
_SIGNALLED = 128


class Generate:
    """Orders a video, shows its progress, and writes the finished video to a file."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options: the prompt (or a job to resume), the narration and the output file."""
        order = parser.add_mutually_exclusive_group(required=True)
        order.add_argument("script", nargs="?", metavar="PROMPT", help="what the video should show")
        order.add_argument("--prompt", metavar="PROMPT", help="the same, as an option")
        order.add_argument("--resume", metavar="JOB", help="continue an interrupted job for free")
        parser.add_argument(
            "--retry",
            action="store_true",
            help="with --resume: order again if it is unknown whether the provider accepted the "
            "job; the provider may charge twice",
        )
        parser.add_argument("--audio", type=Path, help="narration for the video")
        parser.add_argument(
            "--send-voice",
            action="store_true",
            help="with NARRATION_MODE=guide: let a video service outside your network hear --audio",
        )
        parser.add_argument(
            "-o",
            "--output",
            type=Path,
            default=Path(_FILE),
            metavar="FILE",
            help=f"the video file, which must not exist yet; default: {_FILE}",
        )

    def run(self, options: argparse.Namespace) -> int:
        """Check everything that costs nothing to check, then make the video."""
        if options.retry and not options.resume:
            raise StartupError("--retry needs --resume JOB, which names the job to retry.")
        if options.audio and not options.audio.is_file():
            raise StartupError(f"--audio: there is no file {options.audio}.")
        _check_output(options.output)
        settings = load_settings()
        # Log lines would interrupt the progress bar, so only errors are logged by default.
        configure_logs(settings, level="ERROR" if settings.log_level == "INFO" else None)
        if unused := unused_provider(settings):
            LastingStream(sys.stderr).write(f"{unused}\n")
        return asyncio.run(_generate_until_stopped(settings, options))


def _check_output(output: Path) -> None:
    parent = output.absolute().parent
    if output.is_dir():
        raise StartupError(f"--output: {output} is a folder; name a file, like {output / _FILE}.")
    # Unlike exists(), lexists() is true for a broken link, which must not be replaced.
    if os.path.lexists(output):
        raise StartupError(f"--output: {output} already exists; name another file with -o.")
    if not parent.is_dir():
        raise StartupError(f"--output: there is no folder {parent}.")
    if not os.access(parent, os.W_OK):
        raise StartupError(f"--output: the folder {parent} is not writable; name another.")


async def _generate_until_stopped(settings: Settings, options: argparse.Namespace) -> int:
    """Make the video. Stop if Ctrl-C is pressed, SIGTERM arrives or the terminal is closed."""
    received: list[int] = []
    task = asyncio.current_task()

    def stop(number: signal.Signals) -> None:
        received.append(number)
        if task is not None:
            task.cancel()

    with on_stop_signals(stop):
        try:
            return await _generate(settings, options)
        except asyncio.CancelledError:
            if not received:
                raise
            return _SIGNALLED + received[0]


async def _generate(settings: Settings, options: argparse.Namespace) -> int:
    out, err = LastingStream(sys.stdout), LastingStream(sys.stderr)
    async with AsyncExitStack() as stack:
        resources = await open_resources(settings, stack)
        backend = await open_backend(resources, stack)
        engine = await open_engine(resources, backend, stack, client=CLIENT)
        # The server receives the operator's requests and webhooks of a provider on this machine. It
        # sends the sounds of narrations.
        routes = [*webhooks(engine).routes, *operator_routes(engine).routes]
        routes += VoiceLinks(make_links(resources), engine.jobs, make_voice_sounds(engine)).routes
        server = WebServer(
            routes,
            resources.listener,
            is_ready=lambda: True,
            accepts_compressed=(WEBHOOK_PATH,),
        )
        await server.start()
        stack.push_async_callback(server.close)
        texts = Texts.load()
        await engine.clock_watcher.resume()
        await engine.circuit.resume()
        try:
            job = await _order(engine, options)
        except UserError as error:
            err.write(f"{sentence_in_utc(texts, error.key, 'en', error.fields)}\n")
            return 1
        except asyncio.CancelledError:
            err.write("Interrupted. “python -m bot jobs” shows whether a video was ordered.\n")
            raise
        # Print the command that resumes the job now, because the terminal may be closed before the
        # video is finished.
        command = _resume_command(job, options.output)
        err.write(f"Job {job.id}. If this is interrupted, continue with: {command}\n")
        bar = ProgressBar(err, texts, lambda: engine.circuit.trouble)
        try:
            ended = await _make(engine, job, bar)
        except asyncio.CancelledError:
            err.write(f"Interrupted. To continue: {command}\n")
            raise
        return await _report(engine, ended, options.output, texts, out=out, err=err)


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
        received = await engine.clients.receive_audio(chunks, filename=options.audio.name)
        upload = replace(received, sends_voice=options.send_voice)
    prompt = options.script if options.prompt is None else options.prompt
    return await engine.clients.submit(CLIENT, prompt, upload)


async def _make(engine: Engine, job: Job, bar: ProgressBar) -> Job:
    """Run the workers until the job has ended, and return the ended job."""
    workers = make_workers(engine, NoDiscord())
    tasks = [asyncio.create_task(worker.run(), name="worker") for worker in workers]
    tasks.append(asyncio.create_task(engine.clock_watcher.run(), name="clock"))
    tasks.append(asyncio.create_task(engine.holds.run(), name="holds"))
    if engine.heartbeat is not None:
        tasks.append(asyncio.create_task(engine.heartbeat.run(), name="heartbeat"))
    try:
        ended = await engine.clients.wait(job, bar.draw)
        if ended.state is JobState.CANCELLED:
            await _wait_for_last_step(engine, ended)
        return ended
    finally:
        bar.close()
        await asyncio.gather(*(worker.stop(grace=_GRACE_SECONDS) for worker in workers))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _wait_for_last_step(engine: Engine, job: Job) -> None:
    """Wait briefly for the workers to ask the provider to stop the job.

    If that takes too long, the provider is asked at the next start.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_SECONDS):
            while (now := await engine.jobs.get(job.id)) and now.next_at is not None:  # noqa: ASYNC110 - the last step is not published
                await asyncio.sleep(_LOOK_SECONDS)


def _resume_command(job: Job, output: Path, *options: str) -> str:
    command = ("-m", "bot", "generate", "--resume", job.id, *options, "-o", str(output))
    return shlex.join((sys.executable, *command))


async def _report(
    engine: Engine, job: Job, output: Path, texts: Texts, *, out: LastingStream, err: LastingStream
) -> int:
    public = public_job(job, texts)
    if public.question is not None:
        command = _resume_command(job, output, "--retry")
        err.write(f"{public.question}\nTo try again anyway: {command}\n")
        return 1
    if public.status is not PublicStatus.COMPLETED:
        err.write(f"{public.error}\n")
        return 1
    if job.note:
        err.write(f"{texts(job.note)}\n")
    if await engine.clients.artifact(job) is None or not await engine.workspace.has_video(job.id):
        err.write(f"{texts('api.expired')}\n")
        return 1
    try:
        video = await engine.clients.fetch_video(job)
        await asyncio.to_thread(_copy, video, output, job.id)
    except OSError as error:
        command, reason = _resume_command(job, output), error.strerror or error
        err.write(
            f"The video is finished and kept, but {output} can't be written ({reason}).\n"
            "To save it at no extra cost, run this command, with another file after -o if needed: "
            f"{command}\n"
        )
        return 1
    await engine.clients.mark_downloaded(job)
    out.write(f"{output}\n")
    return 0


def _copy(video: Path, output: Path, job_id: str) -> None:
    part = output.with_name(f".{job_id}.part")
    try:
        shutil.copyfile(video, part)
        # Another process may have created the output file since the first check.
        if os.path.lexists(output):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(output))
        commit(part, output)
    finally:
        part.unlink(missing_ok=True)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk

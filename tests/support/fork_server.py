"""The program that imports the bot once, and then forks for each process that a test starts."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import time
from typing import Any

import httpx2

from bot.errors import StartupError
from bot.media.process.ffmpeg import find_ffmpeg
from bot.prompts.reading import PromptReader
from bot.texts import Texts
from tests.support import moved_clock
from tests.support.quick_starts import use_quick_starts

_IMPORTED = (
    "bot.backends.transport.openai_sdk",
    "bot.commands.doctor",
    "bot.commands.generate",
    "bot.commands.jobs",
    "bot.commands.owner.command",
    "bot.commands.run",
    "bot.commands.storyboard",
    "bot.demo.command",
    # The bot imports these while it starts.
    "bot.runtime.roles.service",
    "bot.storyboard.lettering.scenes",
    "cogs.access",
    "cogs.library",
    "cogs.narration",
    "cogs.overview",
    "cogs.preferences",
    "cogs.server",
    "cogs.video",
    "storage.sqlite.opening",
    "tests.support.wire",
    # Libraries that import these at their first use.
    "anyio._backends._asyncio",
    "encodings.idna",
    "httpcore2",
)


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork for each request, and return the request in the fork.

    Returns None once the tests have closed the socket.
    """
    running = dict[int, socket.socket]()
    ended, wakes = socket.socketpair()
    os.set_blocking(wakes.fileno(), False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([requests, ended], [], [])
        if ended in ready:
            ended.recv(4096)
            _report_exit_codes(running)
        if requests in ready:
            message, descriptors, _, _ = socket.recv_fds(requests, 2**18, 3)
            if not message:
                return None
            if not (pid := os.fork()):
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for opened in (requests, ended, wakes, *running.values()):
                    opened.close()
                request = json.loads(message)
                _prepare(request, descriptors)
                return request
            *outputs, status = descriptors
            for output in outputs:
                os.close(output)
            running[pid] = socket.socket(fileno=status)
            running[pid].sendall(b"%d\n" % pid)


def _report_exit_codes(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        # A test that has failed may have closed its end.
        with running.pop(pid) as report, contextlib.suppress(BrokenPipeError):
            report.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _prepare(request: dict[str, Any], descriptors: list[int]) -> None:
    """Give the fork what a new process would have been given."""
    stdout, stderr, status = descriptors
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    for descriptor in (stdout, stderr, status):
        os.close(descriptor)
    # The server's own streams can be read from any position, and a pipe can not.
    sys.stdout = os.fdopen(1, "w", closefd=False, errors="surrogateescape")
    sys.stderr = os.fdopen(2, "w", closefd=False, errors="backslashreplace")
    if request["start_new_session"]:
        os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.argv[1:] = request["arguments"]


def do_once_for_all() -> None:
    """Do what each bot would do at its start."""
    Texts.load()
    PromptReader.load()
    httpx2.create_ssl_context()
    with contextlib.suppress(StartupError):
        asyncio.run(find_ffmpeg())


def _run(module: str) -> str | int | None:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            return ended.code
        code = ended.code
    else:
        code = 0
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    sys.stdout.flush()
    sys.stderr.flush()
    # Python's own end would clear all modules, which takes longer than most commands.
    os._exit(code)


if __name__ == "__main__":
    moved_clock.install()
    for name in _IMPORTED:
        importlib.import_module(name)
    use_quick_starts()
    do_once_for_all()
    gc.freeze()
    received = serve(socket.socket(fileno=int(sys.argv[1])))
    if received is not None:
        # runpy warns of a module that is imported already.
        sys.modules.pop(received["module"], None)
        sys.exit(_run(received["module"]))

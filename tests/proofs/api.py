"""Tests the API with schemathesis, which generates valid and invalid requests from openapi.json.

`make proof-api` installs schemathesis into .venv-proofs, and runs it against the real server. The
exit code is 1 if an answer is a 500, or is not described.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import venv
from pathlib import Path

from tests.support.clients.site import TOKEN, open_site
from tests.support.desk import make_narrator
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.media import FakeVoice
from tests.support.media import clips

_PACKAGE = "schemathesis==4.32.5"
_FOLDER = Path(__file__).parents[2] / ".venv-proofs" / "schemathesis"
_EXAMPLES = 100
_SECONDS = 900
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
)


async def main() -> int:
    """Install schemathesis, run it against the server, and return the exit code."""
    tool = await _install()
    if tool is None:
        sys.stdout.write("schemathesis could not be installed, so nothing was tested.\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        clock = Clock()
        tone = clips.make_tone(Path(folder) / "tone.mp3", seconds=1)
        voice = FakeVoice(tone.read_bytes())
        async with (
            open_bench(Path(folder), clock) as bench,
            open_site(bench, narrator=make_narrator(bench, clock, voice)) as caller,
        ):
            await caller.made()
            await caller.order()
            # The rate limits depend on the test clock, which has to advance.
            asyncio.get_running_loop().call_soon(_tick, clock)
            return await _run(
                str(tool),
                "run",
                f"{caller.url}/api/openapi.json",
                f"--header=Authorization: Bearer {TOKEN}",
                f"--max-examples={_EXAMPLES}",
                f"--checks={','.join(_CHECKS)}",
                "--phases=examples,coverage,fuzzing,stateful",
                "--no-color",
            )


def _tick(clock: Clock) -> None:
    clock.advance(1)
    asyncio.get_running_loop().call_later(0.001, _tick, clock)


async def _install() -> Path | None:
    tool = _FOLDER / "bin" / "st"
    if not tool.exists():
        await asyncio.to_thread(venv.create, _FOLDER, with_pip=True, clear=True)
        pip = (str(_FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", _PACKAGE)
        if await _run(*pip):
            return None
    return tool


async def _run(*command: str) -> int:
    child = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(_SECONDS):
            return await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

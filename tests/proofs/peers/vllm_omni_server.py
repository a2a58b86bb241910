"""vLLM-Omni's own video routes with a fake engine, run by the Python of vLLM-Omni's environment.

`python vllm_omni_server.py PORT CLIP FOLDER`. The modules in REAL are vLLM-Omni's, unchanged. All
other modules of vLLM-Omni that they import, vLLM and torch are replaced by stubs. Each sound that
the engine gets is copied to FOLDER. For a prompt with "[heard]", the engine waits for the clip that
the proof makes of the sound.
"""

from __future__ import annotations

import asyncio
import importlib
import shutil
import sys
import types
from pathlib import Path
from typing import Any

from tests.proofs.peers.stubbing import stub_others

_OPENAI = "vllm_omni.entrypoints.openai"
_HELPERS = f"{_OPENAI}.video.generation.helpers"
REAL = frozenset(
    {
        f"{_OPENAI}.api_server",
        f"{_OPENAI}.errors",
        f"{_OPENAI}.image_api_utils",
        f"{_OPENAI}.protocol.videos",
        f"{_OPENAI}.storage",
        f"{_OPENAI}.stores",
        _HELPERS,
        f"{_OPENAI}.video_api_utils",
        "vllm_omni.config.server_settings",
        "vllm_omni.errors",
    }
)
_BARE = (
    "vllm_omni",
    "vllm_omni.config",
    "vllm_omni.entrypoints",
    _OPENAI,
    f"{_OPENAI}.protocol",
    f"{_OPENAI}.video",
    f"{_OPENAI}.video.generation",
)
_STUBBED = ("vllm_omni", "vllm", "torch", "uvloop")
_ROUTE = "/v1/videos"


class _EngineError(Exception):
    """Stands for an error of the engine."""


def _only_video_routes(fastapi: Any) -> None:
    """Leave out all routes but those of videos, because the models of the others are stubs."""
    original = fastapi.APIRouter.add_api_route

    def add(router: Any, path: str, endpoint: Any, **options: Any) -> None:
        if path.startswith(_ROUTE):
            options["responses"] = None  # its models are stubs
            original(router, path, endpoint, **options)

    fastapi.APIRouter.add_api_route = add
    fastapi.APIRouter.add_api_websocket_route = lambda *_, **__: None


class _Engine:
    """Makes the same clip of most requests, and keeps the sound that is sent with them."""

    model_name = "made-up"
    stage_configs: object = None
    supports_mixed_reference_inputs = False

    def __init__(self, clip: Path, folder: Path) -> None:
        self._clip = clip
        self._folder = folder

    def set_stage_configs_if_missing(self, _: object) -> None: ...

    async def generate_video_bytes(
        self, request: Any, video_id: str, *, reference_audio: Any, on_started: Any, **_: object
    ) -> tuple[bytes, dict[str, float], float, None]:
        await on_started()
        if reference_audio is not None:
            heard = Path(reference_audio.path)
            part = self._folder / f"{video_id}.part"
            shutil.copyfile(heard, part)
            part.rename(part.with_suffix(heard.suffix))
        if "[fail]" in request.prompt:
            raise RuntimeError("CUDA out of memory")
        made = self._folder / f"{video_id}.mp4"
        if "[heard]" in request.prompt:
            while not made.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.05)
            return made.read_bytes(), {}, 0.0, None
        return self._clip.read_bytes(), {}, 0.0, None

    async def abort_request(self, _: str) -> None: ...


def _import_routes() -> tuple[Any, Any]:
    stub_others(real=REAL, stubbed=_STUBBED, bare=_BARE)
    data: Any = importlib.import_module("vllm_omni.inputs.data")
    data.DIFFUSION_QUALITY_LEVELS = ("lossless", "high")
    return importlib.import_module(f"{_OPENAI}.api_server"), importlib.import_module(_HELPERS)


def main(port: int, clip: Path, folder: Path) -> None:
    """Serve until the process is terminated."""
    fastapi, uvicorn = importlib.import_module("fastapi"), importlib.import_module("uvicorn")
    _only_video_routes(fastapi)
    routes, helpers = _import_routes()
    engine = _Engine(clip, folder)
    for module in (routes, helpers):
        module.EngineDeadError = module.EngineGenerateError = _EngineError
    helpers.Omnivideo = lambda _: engine
    helpers.ReferenceAudio = types.SimpleNamespace
    helpers.ReferenceVideoDecodeSpec = types.SimpleNamespace
    app = fastapi.FastAPI()
    app.state.openai_serving_video = engine
    app.dependency_overrides[routes._require_single_api_video_store] = lambda: None  # noqa: SLF001 - it asks for the number of processes
    app.include_router(routes.router)
    uvicorn.run(app, host="127.0.0.1", port=port, loop="asyncio")  # uvloop is a stub


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))

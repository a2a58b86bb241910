"""SGLang's own video routes with a fake engine, run by the Python of SGLang's environment.

`python sglang_server.py PORT CLIP FOLDER CLIP_URL`. The modules in REAL are SGLang's, unchanged.
All other modules of SGLang that they import, and torch, are replaced by stubs.
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

_PACKAGE = "sglang.multimodal_gen"
_ROUTES = f"{_PACKAGE}.runtime.entrypoints.openai"
REAL = frozenset(
    {
        f"{_ROUTES}.protocol",
        f"{_ROUTES}.stores",
        f"{_ROUTES}.storage",
        f"{_ROUTES}.utils",
        f"{_ROUTES}.video_api",
        f"{_ROUTES}.video_progress",
        f"{_PACKAGE}.configs.sample.sampling_params",
        f"{_PACKAGE}.configs.task_type",
        f"{_PACKAGE}.configs.utils",
        f"{_PACKAGE}.configs.post_training",
        f"{_PACKAGE}.runtime.utils.common",
        f"{_PACKAGE}.runtime.pipelines_core.request_utils",
    }
)
_STUBBED = ("torch", "psutil")
_STEPS = 4
_STEP_SECONDS = 0.1


def _import_routes() -> tuple[Any, Any]:
    # The real `__init__` modules would start the engine.
    stub_others(real=REAL, stubbed=("sglang", *_STUBBED), bare=("sglang", _PACKAGE))
    return importlib.import_module(f"{_ROUTES}.video_api"), importlib.import_module(
        f"{_ROUTES}.utils"
    )


class _Params(types.SimpleNamespace):
    """The sampling parameters of a request, with the methods that the routes call."""

    def output_file_path(self) -> str:
        return str(Path(self.output_path) / f"{self.output_file_name}.mp4")

    def prepare_video_request_for_queue(self, _: object) -> None: ...

    def cleanup_video_request(self, _: object) -> None: ...

    def expand_video_request_outputs_for_queue(self, _: object) -> None: ...

    def project_video_queued_job_fields(self, _: object) -> dict[str, object]:
        return {}

    def validate_video_final_outputs(self, *_: object) -> dict[str, object]:
        return {}


def _params(request_id: str, **asked: Any) -> _Params:
    width, height = (int(side) for side in asked.pop("size").split("x"))
    return _Params(**asked | {"width": width, "height": height, "request_id": request_id})


def _batch(*, sampling_params: _Params, **_: object) -> types.SimpleNamespace:
    return types.SimpleNamespace(
        sampling_params=sampling_params, num_outputs_per_prompt=1, extra={}, report_progress=False
    )


class _Result:
    """The engine's result: every attribute is None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def _open_engine(routes: Any, clip: Path, clip_url: str) -> None:
    progress = sys.modules[f"{_ROUTES}.video_progress"]
    in_cloud: set[str] = set()

    async def process(_: object, batch: Any, **__: object) -> tuple[list[str], Any]:
        params = batch.sampling_params
        for step in range(1, _STEPS):
            await asyncio.sleep(_STEP_SECONDS)
            ref = params.request_id
            _, percent = progress.VIDEO_PROGRESS.update(ref, step, _STEPS)
            await progress.apply_progress(ref, percent)
        if "[fail]" in params.prompt:
            raise RuntimeError("CUDA out of memory")
        made = params.output_file_path()
        shutil.copyfile(clip, made)
        if "[cloud]" in params.prompt:
            in_cloud.add(made)
        return [made], _Result()

    async def upload(path: str) -> str | None:
        return clip_url if path in in_cloud else None

    routes.process_generation_batch = process
    routes.cloud_storage.upload_and_cleanup = upload


def main(port: int, clip: Path, folder: Path, clip_url: str) -> None:
    """Serve until the process is terminated.

    A job with "[cloud]" in its prompt has its clip in cloud storage, at `clip_url`.
    """
    routes, utils = _import_routes()
    fastapi, uvicorn = importlib.import_module("fastapi"), importlib.import_module("uvicorn")
    arguments = types.SimpleNamespace(
        input_save_path=None,
        output_path=str(folder),
        served_model_name="made-up",
        pipeline_class_name=None,
    )
    params = sys.modules[f"{_PACKAGE}.configs.sample.sampling_params"].SamplingParams

    async def unchanged(_: object, prompt: str, **__: object) -> str:
        return prompt

    for module in (routes, utils):
        module.get_global_server_args = lambda: arguments
    routes.resolve_sampling_params_cls = lambda _: params
    routes.build_sampling_params = _params
    routes.prepare_request = _batch
    routes.maybe_enhance_prompt = unchanged
    routes.extract_trace_headers = lambda _: {}
    _open_engine(routes, clip, clip_url)
    app = fastapi.FastAPI()
    app.include_router(routes.router)
    uvicorn.run(app, host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])

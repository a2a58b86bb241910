"""Runs in the environment of OpenRouter's own package: orders a clip, waits, fetches it.

`python openrouter_child.py URL KEY PROMPT` prints one line of JSON: what the package made of it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time

from openrouter import OpenRouter  # pyright: ignore[reportMissingImports] - it is in another environment

_LOOKS = 200


def main(url: str, key: str, prompt: str) -> None:
    """Do what its documentation shows."""
    with OpenRouter(api_key=key, server_url=url) as client:
        videos = client.video_generation
        models = [model.id for model in videos.list_videos_models().data]
        job = videos.generate(
            model="google/veo-3.1", prompt=prompt, duration=8, size="1280x720", generate_audio=True
        )
        for _ in range(_LOOKS):
            job = videos.get_generation(job_id=job.id)
            if str(job.status) not in {"pending", "in_progress"}:
                break
            time.sleep(0.05)
        said = {"models": models, "status": str(job.status), "error": job.error}
        if said["status"] == "completed":
            content = videos.get_video_content(job_id=job.id).read()
            said |= {"sha256": hashlib.sha256(content).hexdigest(), "cost": job.usage.cost}
    sys.stdout.write(f"{json.dumps(said)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

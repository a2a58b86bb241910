"""Makes and downloads a clip with OpenRouter's own package, in that package's environment.

`python openrouter_child.py URL KEY PROMPT [SOUND]` prints the results as one line of JSON. SOUND is
the URL of a sound that is sent too.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time

from openrouter import OpenRouter  # pyright: ignore[reportMissingImports] - in another environment

_POLLS = 200


def main(url: str, key: str, prompt: str, sound: str = "") -> None:
    """Use the package as its documentation shows."""
    with OpenRouter(api_key=key, server_url=url) as sdk:
        videos = sdk.video_generation
        models = [model.id for model in videos.list_videos_models().data]
        references = [{"type": "audio_url", "audio_url": {"url": sound}}]
        job = videos.generate(
            model="google/veo-3.1",
            prompt=prompt,
            duration=8,
            size="1280x720",
            generate_audio=True,
            **{"input_references": references} if sound else {},
        )
        for _ in range(_POLLS):
            job = videos.get_generation(job_id=job.id)
            if str(job.status) not in {"pending", "in_progress"}:
                break
            time.sleep(0.05)
        results = {"models": models, "status": str(job.status), "error": job.error}
        if results["status"] == "completed":
            content = videos.get_video_content(job_id=job.id).read()
            results |= {"sha256": hashlib.sha256(content).hexdigest(), "cost": job.usage.cost}
    sys.stdout.write(f"{json.dumps(results)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Serves the routes of the Videos API, in the formats of OpenAI's responses."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from bot.storyboard.clip_service import BusyError, ClipService, KeyReusedError
from bot.storyboard.clip_store import Clip, ClipStatus
from bot.storyboard.create_request import CreateError, read_order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)

_BODY_BYTES = 512 * 1024
_KEY_CHARACTERS = 255
_PAGE_SIZE = 20
_MAX_PAGE_SIZE = 100
_CLIP_SERVICE = web.AppKey("clip_service", ClipService)


def build_app(clip_service: ClipService) -> web.Application:
    """Return an application that serves the clips of `clip_service` under `/v1/videos`."""
    app = web.Application(client_max_size=_BODY_BYTES, middlewares=[_answer_errors])
    app[_CLIP_SERVICE] = clip_service
    app.add_routes(
        [
            web.post("/v1/videos", _create),
            web.get("/v1/videos", _list),
            web.get("/v1/videos/{id}", _retrieve),
            web.delete("/v1/videos/{id}", _delete),
            web.get("/v1/videos/{id}/content", _content),
        ]
    )
    return app


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        _refuse_browsers(request)
        return await handler(request)
    except CreateError as error:
        return _error_response(error)
    except web.HTTPException as error:
        return _error_response(CreateError(error.status, error.reason))
    # this handler is the outermost, so each bug gets one response and one log entry
    except Exception:
        log.exception("storyboard.bug path=%s", request.path)
        return _error_response(CreateError(500, "The storyboard has an internal error."))


def _refuse_browsers(request: web.Request) -> None:
    """Refuse requests from web pages, which can reach servers on this machine.

    Browsers mark such requests with an Origin header.
    """
    if "Origin" in request.headers:
        raise CreateError(403, "Requests from web pages are not allowed.")


async def _create(request: web.Request) -> web.Response:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= _KEY_CHARACTERS:
        raise CreateError(400, f"An idempotency key has 1 to {_KEY_CHARACTERS} characters.")
    order = await read_order(request)
    try:
        clip = await request.app[_CLIP_SERVICE].create(order, key=key)
    except KeyReusedError as error:
        raise CreateError(400, str(error), code="idempotency_key_reused") from None
    except BusyError as error:
        raise CreateError(
            429, str(error), code="rate_limit_exceeded", retry_after=error.retry_after
        ) from None
    return web.json_response(_resource(request, clip))


async def _retrieve(request: web.Request) -> web.Response:
    return web.json_response(_resource(request, _find(request)))


async def _list(request: web.Request) -> web.Response:
    clips = request.app[_CLIP_SERVICE].list()
    if _choice(request, "order", ("desc", "asc")) == "desc":
        clips.reverse()
    limit = _limit(request.query)
    after = request.query.get("after")
    if after is not None:
        ids = [clip.id for clip in clips]
        if after not in ids:
            raise CreateError(400, "There is no such video.", code="invalid_value", param="after")
        clips = clips[ids.index(after) + 1 :]
    page = clips[:limit]
    return web.json_response(
        {
            "object": "list",
            "data": [_resource(request, clip) for clip in page],
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
            "has_more": len(clips) > limit,
        }
    )


async def _delete(request: web.Request) -> web.Response:
    clip_id = request.match_info["id"]
    if not await request.app[_CLIP_SERVICE].delete(clip_id):
        raise _not_found()
    return web.json_response({"id": clip_id, "object": "video.deleted", "deleted": True})


async def _content(request: web.Request) -> web.StreamResponse:
    clip = _find(request)
    if _choice(request, "variant", ("video", "thumbnail", "spritesheet")) != "video":
        raise CreateError(404, "Only the video itself is available.", param="variant")
    if clip.status != ClipStatus.COMPLETED:
        raise CreateError(404, "The video is not ready.", code="video_not_ready", param="id")
    video = request.app[_CLIP_SERVICE].video(clip)
    return web.FileResponse(video, headers={"Content-Type": "video/mp4"})


def _find(request: web.Request) -> Clip:
    clip = request.app[_CLIP_SERVICE].get(request.match_info["id"])
    if clip is None:
        raise _not_found()
    return clip


def _choice(request: web.Request, name: str, choices: tuple[str, ...]) -> str:
    choice = request.query.get(name, choices[0])
    if choice not in choices:
        wanted = ", ".join(choices)
        raise CreateError(400, f"`{name}` is one of {wanted}.", code="invalid_value", param=name)
    return choice


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(_PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and int(text[:4]) <= _MAX_PAGE_SIZE):
        message = f"`limit` is a number from 0 to {_MAX_PAGE_SIZE}."
        raise CreateError(400, message, code="invalid_value", param="limit")
    return int(text)


def _not_found() -> CreateError:
    return CreateError(404, "There is no such video.", code="not_found", param="id")


def _resource(request: web.Request, clip: Clip) -> dict[str, object]:
    fault = clip.fault
    return {
        "id": clip.id,
        "object": "video",
        "model": clip.order.model,
        "status": clip.status.value,
        "progress": request.app[_CLIP_SERVICE].progress(clip),
        "created_at": int(clip.created_at),
        "completed_at": _whole_seconds(clip.completed_at),
        "expires_at": _whole_seconds(clip.expires_at),
        "prompt": clip.order.prompt,
        "size": clip.order.size,
        "seconds": str(clip.order.seconds),
        "remixed_from_video_id": None,
        "error": {"code": fault.code, "message": fault.message} if fault else None,
    }


def _whole_seconds(time: float | None) -> int | None:
    return None if time is None else int(time)


def _error_response(error: CreateError) -> web.Response:
    is_server_error = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    body = {
        "error": {
            "message": error.message,
            "type": "server_error" if is_server_error else "invalid_request_error",
            "param": error.param,
            "code": error.code,
        }
    }
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    return web.json_response(body, status=error.status, headers=headers)

"""The routes of the Videos API, in OpenAI's shapes."""

from __future__ import annotations

import logging
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
_PAGE = 20
_LARGEST_PAGE = 100
_STUDIO = web.AppKey("studio", ClipService)


def build_app(clip_service: ClipService) -> web.Application:
    """Return the application that serves a studio's clips under `/v1/videos`."""
    app = web.Application(client_max_size=_BODY_BYTES, middlewares=[_answer_errors])
    app[_STUDIO] = clip_service
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
        return _error(error)
    except web.HTTPException as error:
        return _error(CreateError(error.status, error.reason))
    except Exception:  # the edge of this server: a bug is one answer and one log entry
        log.exception("storyboard.bug path=%s", request.path)
        return _error(CreateError(500, "The storyboard has a fault of its own."))


def _refuse_browsers(request: web.Request) -> None:
    """Refuse what a page of any site may send to loopback: it names its origin."""
    if "Origin" in request.headers:
        raise CreateError(403, "Pages in a browser have no business here.")


async def _create(request: web.Request) -> web.Response:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= _KEY_CHARACTERS:
        raise CreateError(400, f"An idempotency key has 1 to {_KEY_CHARACTERS} characters.")
    order = await read_order(request)
    try:
        clip = await request.app[_STUDIO].create(order, key=key)
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
    clips = request.app[_STUDIO].list()
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
    if not await request.app[_STUDIO].delete(clip_id):
        raise _unknown()
    return web.json_response({"id": clip_id, "object": "video.deleted", "deleted": True})


async def _content(request: web.Request) -> web.StreamResponse:
    clip = _find(request)
    if _choice(request, "variant", ("video", "thumbnail", "spritesheet")) != "video":
        raise CreateError(404, "There is only the video itself.", param="variant")
    if clip.status != ClipStatus.COMPLETED:
        raise CreateError(404, "The video is not ready.", code="video_not_ready", param="id")
    film = request.app[_STUDIO].film(clip)
    return web.FileResponse(film, headers={"Content-Type": "video/mp4"})


def _find(request: web.Request) -> Clip:
    clip = request.app[_STUDIO].get(request.match_info["id"])
    if clip is None:
        raise _unknown()
    return clip


def _choice(request: web.Request, name: str, words: tuple[str, ...]) -> str:
    word = request.query.get(name, words[0])
    if word not in words:
        wanted = ", ".join(words)
        raise CreateError(400, f"`{name}` is one of {wanted}.", code="invalid_value", param=name)
    return word


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(_PAGE))
    if not (text.isascii() and text.isdigit() and int(text[:4]) <= _LARGEST_PAGE):
        message = f"`limit` is a number from 0 to {_LARGEST_PAGE}."
        raise CreateError(400, message, code="invalid_value", param="limit")
    return int(text)


def _unknown() -> CreateError:
    return CreateError(404, "There is no such video.", code="not_found", param="id")


def _resource(request: web.Request, clip: Clip) -> dict[str, object]:
    fault = clip.fault
    return {
        "id": clip.id,
        "object": "video",
        "model": clip.order.model,
        "status": clip.status.value,
        "progress": request.app[_STUDIO].progress(clip),
        "created_at": int(clip.created_at),
        "completed_at": _whole(clip.completed_at),
        "expires_at": _whole(clip.expires_at),
        "prompt": clip.order.prompt,
        "size": clip.order.size,
        "seconds": str(clip.order.seconds),
        "remixed_from_video_id": None,
        "error": {"code": fault.code, "message": fault.message} if fault else None,
    }


def _whole(time: float | None) -> int | None:
    return None if time is None else int(time)


def _error(error: CreateError) -> web.Response:
    body = {
        "error": {
            "message": error.message,
            "type": "invalid_request_error" if error.status < 500 else "server_error",  # noqa: PLR2004  # HTTP
            "param": error.param,
            "code": error.code,
        }
    }
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    return web.json_response(body, status=error.status, headers=headers)

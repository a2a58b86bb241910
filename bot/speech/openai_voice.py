"""OpenAISpeech: a voice that uses OpenAI's `/v1/audio/speech` API."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.backends.responses import error_kinds, replies
from bot.backends.transport.base import (
    NO_ANSWER,
    Endpoint,
    NeverSentError,
    Request,
    reason_of,
)
from bot.backends.transport.origins import origin_of
from bot.backends.transport.plain_http import HttpTransport, bearer
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError, UserError
from bot.media.files.atomic import TooLargeError, save

if TYPE_CHECKING:
    from pathlib import Path

    from bot.backends.transport.base import Answer

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5.0
_SENTENCES = {
    ErrorKind.MODERATED: "speech.moderated",
    ErrorKind.AUTH: "speech.refused",
    ErrorKind.BALANCE: "speech.refused",
    ErrorKind.SETUP: "speech.refused",
    ErrorKind.UNEXPLAINED: "speech.refused",
    ErrorKind.INVALID: "speech.refused",
}


class OpenAISpeech:
    """Sends each text to the server at `base_url` in one POST, which is never repeated.

    A response is aborted if it is larger than `max_bytes` or takes longer than `seconds`.
    """

    name = "openai"
    costs = True

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str | None,
        model: str,
        voice: str,
        max_bytes: int,
        seconds: float = 120.0,
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._voice = voice
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def speak(self, text: str, target: Path) -> None:
        """Have a text read aloud, and stream the MP3 into the file `target`.

        Raises UserError if the text could not be read aloud. The error's key is `speech.unsure` if
        the server may have charged for the text. Raises MediaError if the MP3 could not be stored.
        """
        transport = HttpTransport(self._endpoint(), credentials=bearer(self._api_key))
        try:
            async with asyncio.timeout(self._seconds):
                response = await transport.send(self._request(text))
                await self._store(response, target, text)
        except BackendError as error:
            raise _as_user_error(error) from error
        except TooLargeError as error:
            raise UserError("speech.unusable") from error
        except NeverSentError as error:
            log.warning("speech.unreachable error=%s", reason_of(error))
            raise UserError("speech.unavailable") from error
        except NO_ANSWER as error:
            log.warning("speech.unanswered error=%s", reason_of(error))
            raise UserError("speech.unsure") from error
        finally:
            await transport.close()

    def _endpoint(self) -> Endpoint:
        return Endpoint(
            base_url=self._base_url,
            read_timeout=self._seconds,
            connect_timeout=_CONNECT_SECONDS,
            # With this setting, the transport does not limit the size of a successful response. The
            # size is limited while the response is stored.
            downloads_from=frozenset({origin_of(self._base_url)}),
        )

    def _request(self, text: str) -> Request:
        body = {
            "model": self._model,
            "input": text,
            "voice": self._voice,
            "response_format": "mp3",
        }
        # Redirects are not followed, because the second POST might cost again.
        return Request(
            method="POST", url="/audio/speech", body=body, stream=True, follow_redirects=False
        )

    async def _store(self, response: Answer, target: Path, text: str) -> None:
        try:
            if response.ok:
                await save(response.chunks, target, max_bytes=self._max_bytes)
                return
        finally:
            await response.close()
        reply = replies.read(response, secret=self._api_key, now=0.0)
        raise error_kinds.of_create(reply.status, reply.answer, retry_after=None, prompt=text)


def _as_user_error(error: BackendError) -> UserError:
    log.warning("speech.refused kind=%s error=%r", error.kind, error.message)
    if isinstance(error, UnconfirmedSubmitError):
        return UserError("speech.unsure")
    return UserError(_SENTENCES.get(error.kind, "speech.unavailable"))

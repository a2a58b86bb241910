"""Sets up logging to stderr, as text or JSON lines. Secrets are removed from all records."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Libraries may log these secrets: tokens in paths and headers, signed links, keys, and passwords in
# URLs. Secrets whose values are known are passed to `configure` instead.
_IN_PATHS = re.compile(
    r"(/(?:webhooks|interactions)/\d+/|/[dv]/[0-9a-f]{32}(?:\.\d{1,12}){1,2}\.)[^\s/?&\"']+"
)
_IN_VALUES = re.compile(
    r"(Bearer |Bot |whsec_|\bsk-|[?&](?:ex|is|hm)="
    r"|(?i:[?&][\w.-]*(?:sig|signature|token|key|credential|secret)=))[^\s&\"']+"
)
# A password in a URL may contain quotation marks and @, but no slash.
_IN_ORIGINS = re.compile(r"(://)[^\s/?#]+@")


# Strangers on the network can make these loggers write any number of records.
_LIMITED = ("aiohttp", "asyncio", "bot.web")
# at this level, `bot.web` only logs actions of authenticated clients
_UNLIMITED_LEVEL = logging.INFO
_REPEAT_SECONDS = 60.0
_MAX_KINDS = 200


class RepeatLimit(logging.Filter):
    """Limits the records that strangers on the network can cause, to one per minute and kind.

    The kind of a record is its message before values are filled in, its logger and the type of its
    error. The values and error messages in aiohttp's records are removed, because they quote
    requests.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, ...], _Repeats] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to log a record, and add the number of omitted records to the record."""
        library = record.name.partition(".")[0]
        if not record.name.startswith(_LIMITED) or (
            library == "bot" and record.levelno <= _UNLIMITED_LEVEL
        ):
            return True
        error = record.exc_info[0] if record.exc_info else None
        if library == "aiohttp":
            _omit_values(record)
        kind = (record.name, str(record.msg).partition("\n")[0], error.__name__ if error else "")
        if kind not in self._kinds and len(self._kinds) >= _MAX_KINDS:
            kind = (record.name,)
        now = self._clock()
        repeats = self._kinds.setdefault(kind, _Repeats(next_at=now))
        if now < repeats.next_at:
            repeats.suppressed += 1
            return False
        if repeats.suppressed:
            record.msg, record.args = f"{_message(record)} suppressed={repeats.suppressed}", None
        self._kinds[kind] = _Repeats(next_at=now + _REPEAT_SECONDS)
        return True


@dataclass(kw_only=True, slots=True)
class _Repeats:
    next_at: float
    suppressed: int = 0


def _omit_values(record: logging.LogRecord) -> None:
    record.args = None
    if record.exc_info:
        kind, _, frames = record.exc_info
        name = kind.__name__ if kind else "an error"
        record.exc_text = "".join((*traceback.format_tb(frames), name))
        record.exc_info = None


class Redactor(logging.Filter):
    """Removes secrets from log records before they are formatted."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = tuple(secret for secret in secrets if secret)

    def filter(self, record: logging.LogRecord) -> bool:
        """Remove secrets from the record. Every record is logged."""
        record.msg = self.clean(_message(record))
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = self.clean(logging.Formatter().formatException(record.exc_info))
        return True

    def clean(self, text: str) -> str:
        """Return a text in which secrets, and everything that looks like a secret, are replaced."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        text = _IN_ORIGINS.sub(r"\1[secret]@", text)
        text = _IN_PATHS.sub(r"\1[secret]", text)
        return _IN_VALUES.sub(r"\1[secret]", text)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError) as error:
        # A mistake in a library's log call must not make the calling code fail.
        return f"{record.msg} [not formatted: {error}]"


class JsonFormatter(logging.Formatter):
    """Formats each log record as a JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's time, level, logger, message and traceback as JSON."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_text:
            entry["traceback"] = record.exc_text
        return json.dumps(entry, ensure_ascii=False)


def configure(*, level: str, style: str, secrets: tuple[str, ...]) -> None:
    """Send all log records to stderr, without the given secrets.

    `style`: "text" or "json".
    """
    handler = logging.StreamHandler()
    handler.addFilter(RepeatLimit())
    handler.addFilter(Redactor(secrets))
    handler.setFormatter(
        JsonFormatter()
        if style == "json"
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s %(message)s")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    number = logging.getLevelNamesMapping()[level]
    # At DEBUG, these libraries log whole requests including tokens. At INFO, httpx2 logs each URL.
    for name in ("discord", "httpx2", "httpcore2", "openai", "aiosqlite", "aiohttp"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.getLogger("discord.gateway").setLevel(max(number, logging.INFO))
    client_log = logging.getLogger("discord.client")
    client_log.removeFilter(_drop_voice)
    client_log.addFilter(_drop_voice)


def _drop_voice(record: logging.LogRecord) -> bool:
    """Tell whether to log a record.

    discord.py warns about missing libraries for voice channels. Those records are dropped, because
    the bot never joins a voice channel.
    """
    return "voice will NOT be supported" not in str(record.msg)

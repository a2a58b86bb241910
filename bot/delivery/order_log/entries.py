"""The lines of the log channel. They contain ids, times and reasons, but no text by people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.texts import Texts

_ID_CHARACTERS = 12
# The maximum number of lines in a message. If there are more, all lines are attached as a file.
_MAX_LINES = 12
_MAX_CHARACTERS = 1900


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """An order, or a refusal with its `reason`. `at` is a Unix time.

    Either `client` is the name of an API client, or `user_id` and `channel_id` are those of the
    order. `server_id` is None in a DM or a group chat.
    """

    at: float
    reason: str | None = None
    job_id: str | None = None
    client: str | None = None
    user_id: int | None = None
    server_id: int | None = None
    channel_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogMessage:
    """A message in the log channel. `attached`: the lines that don't fit, as a text file."""

    text: str
    attached: str = ""


def log_message(entries: Sequence[LogEntry], *, lost: int, texts: Texts) -> LogMessage:
    """Write the message about some entries. `lost`: how many earlier entries are missing."""
    missing = [texts("log.lost", entries=lost)] if lost else []
    lines = [_line(entry, texts, plain=False) for entry in entries]
    shown = "\n".join([*missing, *lines])
    if len(lines) <= _MAX_LINES and len(shown) <= _MAX_CHARACTERS:
        return LogMessage(text=shown)
    refused = sum(entry.reason is not None for entry in entries)
    summary = texts("log.many", orders=len(entries) - refused, refusals=refused)
    attached = "\n".join(_line(entry, texts, plain=True) for entry in entries)
    return LogMessage(text="\n".join([*missing, summary]), attached=f"{attached}\n")


def _line(entry: LogEntry, texts: Texts, *, plain: bool) -> str:
    """Write the line of an entry.

    `plain`: whether the line is for a text file, which can't show mentions.
    """
    parts = [_time(entry.at, plain=plain)]
    if entry.reason is None:
        parts.append(texts("log.order", job=(entry.job_id or "")[:_ID_CHARACTERS]))
    else:
        parts.append(texts("log.refusal", reason=entry.reason))
    if entry.client is not None:
        return " · ".join([*parts, texts("log.client", client=entry.client)])
    parts.append(f"{entry.user_id}" if plain else f"<@{entry.user_id}>")
    if entry.server_id is None:
        parts.append(texts("log.no_server"))
    else:
        channel = f"{entry.channel_id}" if plain else f"<#{entry.channel_id}>"
        parts += [channel, texts("log.server", server=str(entry.server_id))]
    return " · ".join(parts)


def _time(at: float, *, plain: bool) -> str:
    if plain:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"<t:{int(at)}:T>"

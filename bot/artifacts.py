"""Finished videos, the outcomes of delivering them, and the use of narrations as references."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The locale keys of sentences about finished videos.
NOTE_NOT_MERGED = "note.not_merged"
NOTE_HELD = "note.held"
NOTE_HELD_INSTEAD = "note.held_instead"
NOTE_SILENT = "note.silent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A finished video. The key of its file is `videos/<job_id>.mp4`.

    The workspace sets the size, digest, time, width and height when it publishes the file.
    """

    #: The id of the job that made the video.
    job_id: str
    #: The size of the file in bytes.
    size: int
    #: The SHA-256 digest of the file, in hex.
    sha256: str
    #: The Unix time when the file was first published. The age of an undelivered video counts from
    #: this time.
    created_at: float
    #: The Unix time when the requester first got the video (as an upload, link, DM or download), or
    #: None. The delivery and the file server set it.
    delivered_at: float | None = None
    #: The number of times that the share links were withdrawn. Only links that contain this number
    #: are valid.
    share_serial: int = 0
    #: The width of the picture in pixels, or None for a video from an earlier version.
    width: int | None = None
    #: The height of the picture in pixels, or None for a video from an earlier version.
    height: int | None = None
    #: Whether the video has captions. It has them if the words of its narration are known.
    has_captions: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedVideo:
    """A finished video file in the workspace.

    `note`: the locale key of a sentence about the video, or None.
    `captions`: the file with the captions of the video, or None.
    `frame`: the width and height in pixels, or None if the file has yet to be read.
    """

    path: Path
    note: str | None = None
    captions: Path | None = None
    frame: tuple[int, int] | None = None


class Handover(StrEnum):
    """The outcome of a delivery.

    `CARD`: the card shows the video. `DM`: a DM has to contain the video. `HELD`: the video is held
    until the operator acts.
    """

    CARD = "card"
    DM = "dm"
    HELD = "held"


class VoiceUse(StrEnum):
    """The use of a job's narration as a reference sound in the job's create request."""

    ALLOWED = "allowed"  # it may be sent
    SENT = "sent"  # it was sent with the latest create request
    WITHHELD = "withheld"  # the requester has not agreed
    UNSUPPORTED = "unsupported"  # the service or the model accepts no audio
    REFUSED = "refused"  # the service has refused it
    NO_LINK = "no_link"  # the service takes a link, but the bot has no https address
    TOO_LONG = "too_long"  # it does not fit into a request
    UNPREPARED = "unprepared"  # it could not be encoded


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderedVoice:
    """The use of a job's narration.

    It is decided when the job is ordered, and again when the job is submitted.

    `use`: None if the operator's setting forbids sending narrations, or if there is nothing to
    send.
    `service`: the service that may hear the narration, or "" if none may.
    """

    use: VoiceUse | None = None
    service: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmittedVoice:
    """The use of a narration in one create request.

    `digest`: the SHA-256 digest of the sound in the request, in hex. It is "" if the request has no
    sound.
    """

    use: VoiceUse | None = None
    digest: str = ""


NO_VOICE = OrderedVoice()
UNGUIDED = SubmittedVoice()

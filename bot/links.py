"""Creates and checks signed links that expire, and derives the keys that sign them.

`itsdangerous` is not used. It signs the time at which a link was made, but these links contain the
time at which they expire. These links also need only one call of `hmac.digest`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KEY_BYTES = 32
_SPELLED = re.compile(r"hex:((?:[0-9a-f]{2}){32,})")
_VOICE_SECONDS = 60 * 60
_TOKEN = re.compile(
    r"(?P<job>[0-9a-f]{32})\.(?P<expires>[0-9]{1,12})\.(?P<mac>[\w-]{43})", re.ASCII
)
_SHARE = re.compile(
    r"(?P<job>[0-9a-f]{32})\.(?P<expires>[0-9]{1,12})\.(?P<serial>[0-9]{1,9})\.(?P<mac>[\w-]{43})",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """The contents of a share link. `expires_at` is in Unix seconds.

    When a job's links are withdrawn, its serial number is increased. Links with an older number are
    then invalid.
    """

    job_id: str
    serial: int
    expires_at: int
    url: str


class Links:
    """Creates and checks three kinds of signed links.

    Links to files are shown on cards: `PUBLIC_URL/d/<job>.<expiry>.<mac>`.

    Links to pages can be shared: `PUBLIC_URL/v/<job>.<expiry>.<serial>.<mac>`.

    Links to voices are sent to the video service alone: `PUBLIC_URL/n/<job>.<expiry>.<mac>`.

    The MAC covers all parts before it, and the kind of the link.
    """

    def __init__(
        self, key: bytes, *, public_url: str, lifetime: float, clock: Callable[[], float]
    ) -> None:
        self._key = key
        self._public_url = public_url
        self._lifetime = lifetime
        self._clock = clock

    @property
    def enabled(self) -> bool:
        """Whether the operator has set PUBLIC_URL, without which there are no links."""
        return bool(self._public_url)

    def make(self, job_id: str) -> str:
        """Return a link to a job's video file. The link is valid for `lifetime` seconds."""
        expires = int(self._clock() + self._lifetime)
        return f"{self._public_url}/d/{job_id}.{expires}.{self._mac(job_id, expires)}"

    def check(self, token: str) -> str | None:
        """Return the job id in a file link's token, or None if the token is forged or expired."""
        return self._job_in(token)

    @property
    def reaches_voices(self) -> bool:
        """Whether links to voices can be made. A voice must be sent over TLS."""
        return self._public_url.startswith("https://")

    def make_for_voice(self, job_id: str) -> str:
        """Return a link to the sound of a job's narration. The link is valid for an hour."""
        expires = int(self._clock() + _VOICE_SECONDS)
        return f"{self._public_url}/n/{job_id}.{expires}.{self._mac('voice', job_id, expires)}"

    def check_for_voice(self, token: str) -> str | None:
        """Return the job id in a voice link's token, or None if it is forged or expired."""
        return self._job_in(token, "voice")

    def share(self, job_id: str, *, serial: int) -> Share:
        """Return a link to the page of a job's video. The link is valid for `lifetime` seconds."""
        return self._share(job_id, serial, int(self._clock() + self._lifetime))

    def check_share_link(self, token: str) -> Share | None:
        """Return the contents of a share link's token, or None if the token is no longer valid."""
        match = _SHARE.fullmatch(token)
        if match is None:
            return None
        share = self._share(match["job"], int(match["serial"]), int(match["expires"]))
        # The serials `01` and `1` have the same signature, so the whole token is compared.
        genuine = hmac.compare_digest(share.url.rpartition("/")[2], token)
        return share if genuine and self._clock() < share.expires_at else None

    def _job_in(self, token: str, *purpose: str) -> str | None:
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        expires = int(match["expires"])
        genuine = hmac.compare_digest(self._mac(*purpose, match["job"], expires), match["mac"])
        return match["job"] if genuine and self._clock() < expires else None

    def _share(self, job_id: str, serial: int, expires: int) -> Share:
        mac = self._mac("share", job_id, expires, serial)
        url = f"{self._public_url}/v/{job_id}.{expires}.{serial}.{mac}"
        return Share(job_id=job_id, serial=serial, expires_at=expires, url=url)

    def _mac(self, *parts: str | int) -> str:
        message = "|".join(("v1", *map(str, parts))).encode()
        digest = hmac.digest(self._key, message, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Derive a key for one purpose from the secret.

    The key reveals nothing about the keys for other purposes.
    """
    return hmac.digest(secret, f"clapper|{purpose}".encode(), hashlib.sha256)


def load_secret(configured: str, path: Path) -> bytes:
    """Return the configured secret or, if there is none, the secret in the file at `path`.

    The first start creates the file. `configured`: a plain text, the bytes of a secret file
    as `spelled_secret` writes them, or "" for none.

    Raises StartupError if the file can't be read or written, or if its secret is too short.
    """
    if spelled := _SPELLED.fullmatch(configured):
        return bytes.fromhex(spelled[1])
    if configured:
        return configured.encode()
    try:
        try:
            secret = path.read_bytes()
        except FileNotFoundError:
            secret = _make_secret(path)
    except OSError as error:
        raise StartupError(
            f"SECRET_KEY: {path} can't be read or written ({error.strerror}); set SECRET_KEY."
        ) from error
    if len(secret) < _KEY_BYTES:
        raise StartupError(f"SECRET_KEY: {path} is too short; delete it, or set SECRET_KEY.")
    return secret


def spelled_secret(secret: bytes) -> str:
    """Return a secret as a text that `load_secret` accepts."""
    return f"hex:{secret.hex()}"


def _make_secret(path: Path) -> bytes:
    secret = os.urandom(_KEY_BYTES)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync_folder(path.parent)
    return secret


def _sync_folder(folder: Path) -> None:
    # Unless the folder is written to the disk, a power cut could undo the renaming of the file. The
    # secret would be lost, and all links would become invalid.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Signed, expiring links, and the keys that sign them."""

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
_TOKEN = re.compile(
    r"(?P<job>[0-9a-f]{32})\.(?P<expires>[0-9]{1,12})\.(?P<mac>[\w-]{43})", re.ASCII
)
_SHARE = re.compile(
    r"(?P<job>[0-9a-f]{32})\.(?P<expires>[0-9]{1,12})\.(?P<serial>[0-9]{1,9})\.(?P<mac>[\w-]{43})",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What a share link says: whose video, until when (Unix seconds), and of which `serial`.

    The serial of a job rises when its links are withdrawn: one of an older serial is over.
    """

    job_id: str
    serial: int
    expires_at: int
    url: str


class Links:
    """Makes and checks signed links, of two purposes; neither is taken for the other.

    `PUBLIC_URL/d/<job>.<expiry>.<mac>` is a file, as cards show it. A page to pass on is
    `PUBLIC_URL/v/<job>.<expiry>.<serial>.<mac>`. Each signature covers all that stands before it.
    """

    def __init__(
        self, key: bytes, *, public_url: str, lifetime: float, clock: Callable[[], float]
    ) -> None:
        self._key = key
        self._public_url = public_url
        self._lifetime = lifetime
        self._clock = clock

    @property
    def possible(self) -> bool:
        """Whether there is an address that the outside can reach."""
        return bool(self._public_url)

    def make(self, job_id: str) -> str:
        """Return a link to a job's video that works for the lifetime."""
        expires = int(self._clock() + self._lifetime)
        return f"{self._public_url}/d/{job_id}.{expires}.{self._mac(job_id, expires)}"

    def check(self, token: str) -> str | None:
        """Return the job that a link's last part stands for; None: forged or expired."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        expires = int(match["expires"])
        genuine = hmac.compare_digest(self._mac(match["job"], expires), match["mac"])
        return match["job"] if genuine and self._clock() < expires else None

    def share(self, job_id: str, *, serial: int) -> Share:
        """Return a link to the page of a job's video, which works for the lifetime."""
        return self._share(job_id, serial, int(self._clock() + self._lifetime))

    def check_share(self, token: str) -> Share | None:
        """Return what a share link's last part stands for; None: forged or expired."""
        match = _SHARE.fullmatch(token)
        if match is None:
            return None
        share = self._share(match["job"], int(match["serial"]), int(match["expires"]))
        # The whole of it: what signs for the same, written otherwise, is another link.
        genuine = hmac.compare_digest(share.url.rpartition("/")[2], token)
        return share if genuine and self._clock() < share.expires_at else None

    def _share(self, job_id: str, serial: int, expires: int) -> Share:
        mac = self._mac("share", job_id, expires, serial)
        url = f"{self._public_url}/v/{job_id}.{expires}.{serial}.{mac}"
        return Share(job_id=job_id, serial=serial, expires_at=expires, url=url)

    def _mac(self, *said: str | int) -> str:
        message = "|".join(("v1", *map(str, said))).encode()
        digest = hmac.digest(self._key, message, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Return the key for one purpose: none tells anything of the others."""
    return hmac.digest(secret, f"clapper|{purpose}".encode(), hashlib.sha256)


def load_secret(given: str, path: Path) -> bytes:
    """Return the operator's secret, or the one in `path`, made at the first start.

    StartupError: the file can't be read or written, or is too short.
    """
    if given:
        return given.encode()
    try:
        try:
            secret = path.read_bytes()
        except FileNotFoundError:
            secret = _make_secret(path)
    except OSError as error:
        raise StartupError(
            f"SECRET_KEY: {path} can't be used ({error.strerror}); set SECRET_KEY."
        ) from error
    if len(secret) < _KEY_BYTES:
        raise StartupError(f"SECRET_KEY: {path} is cut short; delete it, or set SECRET_KEY.")
    return secret


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
    # Without it a power cut may undo the renaming, and with it every link that was made.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Signed, expiring links, and the keys that sign them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from typing import TYPE_CHECKING

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KEY_BYTES = 32
_TOKEN = re.compile(
    r"(?P<job>[0-9a-f]{32})\.(?P<expires>[0-9]{1,12})\.(?P<mac>[\w-]{43})", re.ASCII
)


class Links:
    """Makes and checks `PUBLIC_URL/d/<job>.<expiry>.<mac>`; the signature covers job and expiry."""

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

    def _mac(self, job_id: str, expires: int) -> str:
        message = f"v1|{job_id}|{expires}".encode()
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

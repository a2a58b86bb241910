"""ObjectStore: keeps files in a bucket of S3, Google Cloud Storage or Azure Blob Storage.

Only this module imports obstore, which is in the extra `scale`.
"""

# pyright: reportMissingModuleSource=false
from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from bot.errors import FileStoreError
from bot.media.files.atomic import save
from bot.media.files.stores.base import KeptFile, is_key, job_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Generator
    from pathlib import Path

    from obstore import ObjectMeta
    from obstore.store import Bucket

# A failed request is repeated for a few seconds. After that, the step of the job is repeated.
_RETRIES = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
# The time-out is for a whole request. Therefore, large files are sent and fetched in parts, each of
# which is a request of its own. If a part doesn't arrive in time, the transfer is stuck.
_TIMEOUTS = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}
_PART_BYTES = 8 * 1024 * 1024
_UPLOADS_AT_ONCE = 3
_TYPES = {
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".m4a": "audio/mp4",
    ".vtt": "text/vtt",
    ".json": "application/json",
}
_CODE = re.compile(r"<Code>(\w{1,80})</Code>")
_MISSING = frozenset({"NoSuchKey", "BlobNotFound"})
_STATUS = re.compile(r"\b(?:status|code)[^0-9<>]{0,40}([45]\d\d)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreAddress:
    """The bucket, and how to reach it.

    `url`: s3://bucket/prefix, gs://bucket/prefix or az://container/prefix. `endpoint`: the address
    of the service, or "" for the provider's own. `public_endpoint`: the address of the
    service for requests from outside, or "" if there is none. Without a key, and always for gs, the
    machine's own credentials are used.
    """

    url: str
    endpoint: str = ""
    region: str = ""
    key_id: str = ""
    secret: str = ""
    public_endpoint: str = ""


class ObjectStore:
    """Keeps each file as an object, whose name is its key.

    `signer`: the same bucket at its public address. It signs the links, because the signature of a
    link covers the host. If `signer` is None, no links are made.
    Raises FileStoreError if the bucket can't be used.
    """

    def __init__(self, bucket: Bucket, signer: Bucket | None = None) -> None:
        self._bucket = bucket
        self._signer = signer

    def path(self, key: str) -> Path | None:  # noqa: ARG002 - as declared
        """Return None, because the files are on another machine."""
        return None

    async def put(self, key: str, path: Path) -> None:
        """Upload the file at `path`, then delete it."""
        with _store_errors("put"):
            await obstore.put_async(
                self._bucket,
                key,
                path,
                attributes=_attributes(key),
                max_concurrency=_UPLOADS_AT_ONCE,
            )
        await asyncio.to_thread(path.unlink)

    async def get(self, key: str, path: Path) -> None:
        """Download a kept file to `path`. Raises FileNotFoundError if the file is not kept."""
        kept = await self._look_up(key, "get")
        if kept is None:
            raise FileNotFoundError("the file is not in the store")
        written = await save(self._parts(kept), path, max_bytes=kept.size)
        if written != kept.size:
            await asyncio.to_thread(path.unlink)
            raise FileStoreError(f"get: {written} of {kept.size} bytes arrived")

    async def read(self, key: str, part: range) -> bytes:
        """Return a part of a file. Raises FileNotFoundError if the file is not kept."""
        if not part:
            return b""
        with _store_errors("get"):
            content = await obstore.get_range_async(
                self._bucket, key, start=part.start, end=part.stop
            )
        return bytes(content)

    async def head(self, key: str) -> KeptFile | None:
        """Return a file's size and time, or None if it is not kept."""
        return await self._look_up(key, "head")

    async def check(self) -> None:
        """Read a part of the bucket's list. Raises FileStoreError if the bucket can't be used."""
        with _store_errors("list"):
            async for _ in obstore.list(self._bucket, chunk_size=1):
                return

    async def list(self) -> tuple[KeptFile, ...]:
        """List the files of all jobs, and leave out other objects."""
        found: list[KeptFile] = []
        with _store_errors("list"):
            async for page in obstore.list(self._bucket, chunk_size=1000):
                found += [_kept(meta) for meta in page if is_key(meta["path"])]
        return tuple(found)

    async def delete(self, keys: Collection[str]) -> None:
        """Delete the given files. Files that don't exist are ignored."""
        if self._deletes_missing:
            with _store_errors("delete"):
                await obstore.delete_async(self._bucket, list(keys))
            return
        for key in keys:
            try:
                with _store_errors("delete"):
                    await obstore.delete_async(self._bucket, key)
            except FileNotFoundError:
                continue

    async def link(self, key: str, seconds: float) -> str | None:
        """Return a presigned link that is valid for `seconds`.

        Returns None if the bucket has no public address.
        """
        if self._signer is None:
            return None
        with _store_errors("link"):
            ends = timedelta(seconds=seconds)
            return await obstore.sign_async(self._signer, "GET", key, ends)

    async def has_versions(self, key: str, content: bytes) -> bool:
        """Write a test object, and tell whether the bucket keeps the versions of its objects."""
        with _store_errors("put"):
            result = await obstore.put_async(self._bucket, key, content)
        return result["version"] is not None

    async def read_small(self, key: str) -> bytes | None:
        """Return the content of a small object, or None if there is none."""
        try:
            with _store_errors("get"):
                answer = await obstore.get_async(self._bucket, key)
                return bytes(await answer.bytes_async())
        except FileNotFoundError:
            return None

    async def _look_up(self, key: str, operation: str) -> KeptFile | None:
        try:
            with _store_errors(operation):
                return _kept(await obstore.head_async(self._bucket, key))
        except FileNotFoundError:
            pass
        # The answer has no content, so it does not tell a missing file from a missing bucket.
        try:
            with _store_errors(operation):
                return _kept((await obstore.get_async(self._bucket, key)).meta)
        except FileNotFoundError:
            return None

    async def _parts(self, kept: KeptFile) -> AsyncGenerator[bytes]:
        for start in range(0, kept.size, _PART_BYTES):
            yield await self.read(kept.key, range(start, min(start + _PART_BYTES, kept.size)))

    @property
    def _deletes_missing(self) -> bool:
        """Whether one request may delete many objects, even if some of them don't exist."""
        return isinstance(self._bucket, S3Store)


def open_object_store(address: StoreAddress) -> ObjectStore:
    """Return the store at an address, without connecting to it.

    Raises FileStoreError if the address is unusable.
    """
    with _store_errors("open"):
        bucket = _bucket(address, address.endpoint)
        signer = _bucket(address, address.public_endpoint) if address.public_endpoint else None
    return ObjectStore(bucket, signer)


def _bucket(address: StoreAddress, endpoint: str) -> Bucket:
    parts = urlsplit(address.url)
    options: dict[str, Any] = {
        "prefix": parts.path.strip("/") or None,
        "client_options": {**_TIMEOUTS, "allow_http": endpoint.startswith("http://")},
        "retry_config": _RETRIES,
    }
    match parts.scheme:
        case "gs":
            return GCSStore(parts.netloc, **options, **_set({"base_url": endpoint}))
        case "az":
            given = {
                "endpoint": endpoint,
                "account_name": address.key_id,
                "account_key": address.secret,
            }
            return AzureStore(parts.netloc, **options, **_set(given))
        case _:
            given = {
                "endpoint": endpoint,
                "region": address.region,
                "access_key_id": address.key_id,
                "secret_access_key": address.secret,
            }
            return S3Store(parts.netloc, **options, **_set(given))


def _set(given: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if value}


def _attributes(key: str) -> dict[str, str]:
    """Return the headers of the response when a link to the file is opened."""
    suffix = PurePosixPath(key).suffix
    headers = {
        "Content-Type": _TYPES.get(suffix, "application/octet-stream"),
        "Cache-Control": "private",
    }
    if suffix == ".mp4":
        headers["Content-Disposition"] = f'inline; filename="clapper-{job_of(key)[:8]}.mp4"'
    return headers


def _kept(meta: ObjectMeta) -> KeptFile:
    modified = meta["last_modified"].timestamp()
    return KeptFile(key=meta["path"], size=meta["size"], modified_at=modified)


@contextmanager
def _store_errors(operation: str) -> Generator[None]:
    """Turn the library's errors into FileStoreError, without their texts, which contain URLs."""
    try:
        yield
    except FileNotFoundError as error:
        if (code := _CODE.search(str(error))) is None or code[1] in _MISSING:
            raise FileNotFoundError("the file is not in the store") from None
        raise FileStoreError(f"{operation}: {code[1]}", is_refusal=True) from None
    except (BaseError, ValueError) as error:
        raise _error(operation, str(error), type(error).__name__) from None


def _error(operation: str, text: str, name: str) -> FileStoreError:
    if code := _CODE.search(text):
        return FileStoreError(f"{operation}: {code[1]}", is_refusal="status code: 4" in text)
    if status := _STATUS.search(text):
        is_refusal = status[1].startswith("4")
        return FileStoreError(f"{operation}: status {status[1]}", is_refusal=is_refusal)
    if "HTTP error" in text:
        return FileStoreError(f"{operation}: the store can't be reached")
    return FileStoreError(f"{operation}: {name}")

# The part of obstore that the bot uses. The extra `scale` has the library itself.
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypedDict

from obstore.store import Bucket

class ObjectMeta(TypedDict):
    path: str
    last_modified: datetime
    size: int

class PutResult(TypedDict):
    version: str | None

class GetResult:
    @property
    def meta(self) -> ObjectMeta: ...
    async def bytes_async(self) -> bytes: ...

async def put_async(
    store: Bucket,
    path: str,
    file: Path | bytes,
    *,
    attributes: Mapping[str, str] | None = ...,
    max_concurrency: int = ...,
) -> PutResult: ...
async def get_async(store: Bucket, path: str) -> GetResult: ...
async def get_range_async(store: Bucket, path: str, *, start: int, end: int) -> bytes: ...
async def head_async(store: Bucket, path: str) -> ObjectMeta: ...
def list(  # noqa: A001 - as in the library
    store: Bucket, *, chunk_size: int = ...
) -> AsyncIterator[Sequence[ObjectMeta]]: ...
async def delete_async(store: Bucket, paths: str | Sequence[str]) -> None: ...
async def sign_async(
    store: Bucket, method: Literal["GET"], paths: str, expires_in: timedelta
) -> str: ...

"""Opens the place in which files are kept: a folder, or the bucket that the settings name."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import FileStoreError, StartupError
from bot.media.files.stores.folder import FolderStore
from bot.media.files.stores.takeover import TakeoverStore

if TYPE_CHECKING:
    from bot.media.files.stores.base import FileStore
    from bot.media.files.stores.object_store import ObjectStore
    from bot.settings.fields import Settings

log = logging.getLogger(__name__)


async def open_file_store(settings: Settings) -> FileStore:
    """Return the store for kept files. Raises StartupError if the bucket can't be used.

    If the bucket can't be reached yet, it is used as soon as it can be reached.
    """
    folder = FolderStore(settings.data_dir)
    if not settings.store_url:
        return folder
    bucket = open_bucket(settings)
    try:
        await bucket.check()
    except FileStoreError as error:
        if error.is_refusal:
            raise StartupError(
                f"STORE_URL: the bucket can't be used ({error}); run python -m bot doctor."
            ) from error
        log.warning("store.unreachable error=%r", str(error))
    return TakeoverStore(bucket, folder)


def open_bucket(settings: Settings) -> ObjectStore:
    """Return the bucket that STORE_URL names, without connecting to it.

    Raises StartupError if a setting is wrong or the library for buckets is not installed.
    """
    try:
        # The library is not part of the default installation.
        from bot.media.files.stores.object_store import (  # noqa: PLC0415
            StoreAddress,
            open_object_store,
        )
    except ImportError as error:
        raise StartupError(
            "STORE_URL: a bucket needs a library that is not installed; run make scale."
        ) from error
    address = StoreAddress(
        url=settings.store_url,
        endpoint=settings.store_endpoint,
        region=settings.store_region,
        key_id=settings.store_key_id,
        secret=settings.store_secret.get_secret_value(),
        public_endpoint=settings.store_public_endpoint,
    )
    try:
        return open_object_store(address)
    except FileStoreError as error:
        raise StartupError(
            f"STORE_URL: the bucket can't be opened ({error}); check STORE_KEY_ID and STORE_SECRET."
        ) from error

"""Steps that use the object store with a bucket."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from bot.commands.checks.file_store import examine_store
from bot.errors import FileStoreError, StartupError
from bot.media.files.stores.base import keys_of, video_key
from bot.runtime.parts.file_store import open_bucket, open_file_store
from bot.settings.fields import load_settings
from tests.proofs.scale.checks import check, fail

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proofs.scale.bucket import Bucket

JOB = "0123456789abcdef" * 2
OTHER = "f" * 32
KEY = video_key(JOB)
_SIZE = 20_000_000  # is sent and fetched in parts


async def test_files(bucket: Bucket, folder: Path) -> None:
    """Store, read, list, link and delete a file."""
    settings = load_settings(
        data_dir=folder, **bucket.settings, store_public_endpoint=bucket.public_endpoint
    )
    store = open_bucket(settings)
    content, path = os.urandom(_SIZE), folder / "file"
    path.write_bytes(content)
    await store.put(KEY, path)
    check(not path.exists(), "an uploaded file is deleted here")
    check(bucket.names() == [KEY], "an object is named by its key")
    check(bucket.read(KEY) == content, "an object has the file's content")
    kept = await store.head(KEY)
    check(kept is not None and kept.size == _SIZE, "its size is read")
    check(await store.list() == (kept,), "the list has the file")
    check(await store.head(video_key(OTHER)) is None, "another file is not kept")
    await store.get(KEY, folder / "copy")
    check((folder / "copy").read_bytes() == content, "it is downloaded whole")
    check(await store.read(KEY, range(7, 9_000_007)) == content[7:9_000_007], "a part is read")
    link = await store.link(KEY, 60.0) or ""
    check(link.startswith(f"{bucket.public_endpoint}/"), "a link has the public address")
    with _open(link, {"Range": "bytes=5-9"}) as answer:
        check(answer.status == 206, "a link answers ranges")
        check(answer.read() == content[5:10], "a range has the bytes")
        check(answer.headers["Content-Type"] == "video/mp4", "a link is that of a video")
        name = answer.headers["Content-Disposition"]
        check(name == 'inline; filename="clapper-01234567.mp4"', "a link names the file")
    await store.delete(keys_of(JOB))
    check(bucket.names() == [], "a deleted file leaves nothing")
    try:
        _open(link, {})
    except urllib.error.HTTPError as error:
        check(error.code == 404, "the link ends with the file")
    else:
        fail("the link ends with the file")


async def test_refusals(bucket: Bucket, folder: Path) -> None:
    """Tell what is missing from what is wrong, without a link or a secret in an error."""
    wrong = {**bucket.settings, "store_url": "s3://unknown-bucket/x"}
    store = open_bucket(load_settings(data_dir=folder, **wrong))
    path = folder / "file"
    path.write_bytes(b"x")
    for name, call in (
        ("put", lambda: store.put(KEY, path)),
        ("head", lambda: store.head(KEY)),
        ("get", lambda: store.get(KEY, folder / "copy")),
        ("list", store.list),
    ):
        try:
            await call()
        except FileStoreError as error:
            check(str(error) == f"{name}: NoSuchBucket", f"{name} names the missing bucket")
            check(error.is_refusal, f"{name} is refused")
        else:
            fail(f"{name} fails without a bucket")
    check(path.read_bytes() == b"x", "a file that was not stored is still here")
    try:
        await open_file_store(load_settings(data_dir=folder, **wrong))
    except StartupError as error:
        check("NoSuchBucket" in str(error), "the bot does not start without its bucket")
    else:
        fail("the bot does not start without its bucket")
    away = {**bucket.settings, "store_endpoint": "http://127.0.0.1:9"}
    try:
        await open_bucket(load_settings(data_dir=folder, **away)).head(KEY)
    except FileStoreError as error:
        check(str(error) == "head: the store can't be reached", "a store can be away")
        check(not error.is_refusal, "a store that is away has not refused")
    else:
        fail("a store that is away fails")
    await open_file_store(load_settings(data_dir=folder, **away))


async def test_doctor(bucket: Bucket, folder: Path) -> None:
    """Try out the bucket, with and without versions, and by a wrong public address."""
    public = {"store_public_endpoint": bucket.public_endpoint}
    found = await examine_store(load_settings(data_dir=folder, **bucket.settings))
    check(found.ok and "the bot itself sends" in found.found, f"doctor: {found}")
    found = await examine_store(load_settings(data_dir=folder, **bucket.settings, **public))
    check(found.ok and "links lead to the store" in found.found, f"doctor: {found}")
    public["store_public_endpoint"] = "http://127.0.0.1:9"
    found = await examine_store(load_settings(data_dir=folder, **bucket.settings, **public))
    check(not found.ok and "STORE_PUBLIC_ENDPOINT" in found.found, f"doctor: {found}")
    check("Signature" not in f"{found}", "doctor prints no link")
    wrong = {**bucket.settings, "store_url": "s3://unknown-bucket/x"}
    found = await examine_store(load_settings(data_dir=folder, **wrong))
    check(not found.ok and "NoSuchBucket" in found.found, f"doctor: {found}")
    check(bucket.names() == [], "doctor leaves nothing")
    bucket.keep_versions(on=True)
    found = await examine_store(load_settings(data_dir=folder, **bucket.settings))
    check(not found.ok and "keeps versions" in found.found, f"doctor: {found}")
    bucket.keep_versions(on=False)


def _open(link: str, headers: dict[str, str]) -> urllib.request.addinfourl:
    request = urllib.request.Request(link, headers=headers)  # noqa: S310 - of the proof's own server
    answer: urllib.request.addinfourl = urllib.request.urlopen(request, timeout=10)  # noqa: S310 - same
    return answer

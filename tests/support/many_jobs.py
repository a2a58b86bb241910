"""Ten thousand open jobs, written by one statement that both databases understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

# The jobs belong to 500 people on 50 servers, and one job in five is queued.
_INSERT = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
INSERT INTO jobs (id, state, next_at, created_at, updated_at, backend, prompt, seconds, size,
    fingerprint, interaction_id, application_id, user_id, guild_id, channel_id, locale,
    token_until, upload_limit, message_id, remote_id, deadline_at)
SELECT 'many' || substr('0000000000000000000000000000', 1, 28 - length(CAST(n AS TEXT)))
        || CAST(n AS TEXT),
    CASE n % 10 WHEN 0 THEN 'received' WHEN 1 THEN 'queued' WHEN 2 THEN 'queued'
        WHEN 3 THEN 'submitting' WHEN 4 THEN 'generating' WHEN 5 THEN 'generating'
        WHEN 6 THEN 'downloading' WHEN 7 THEN 'merging' WHEN 8 THEN 'delivering'
        ELSE 'notifying' END,
    CAST(:now AS DOUBLE PRECISION) + 50000 + n, CAST(:now AS DOUBLE PRECISION) - 100000 - n,
    CAST(:now AS DOUBLE PRECISION) - 100000 - n, 'another', 'a cat', 8, '1280x720',
    'fingerprint ' || CAST(n AS TEXT), -n, 1, n % 500 + 1000000, n % 50 + 2000000, 1, 'en',
    CAST(:now AS DOUBLE PRECISION), 1, n + 3000000, 'many_' || CAST(n AS TEXT),
    CAST(:now AS DOUBLE PRECISION) + 100000
FROM numbers
"""


async def insert_many_jobs(database: Database, *, now: float) -> None:
    """Insert the jobs. They are older than a day, so that no daily cap counts them."""
    await database.rows(_INSERT, {"now": now})

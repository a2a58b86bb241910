"""The table of finished videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.artifacts import Artifact

if TYPE_CHECKING:
    from storage.database import Database

_SAVE = """
INSERT INTO artifacts (job_id, size, sha256, created_at, width, height, has_captions)
VALUES (:job_id, :size, :sha256, :created_at, :width, :height, :has_captions)
ON CONFLICT (job_id) DO UPDATE SET
    size = excluded.size, sha256 = excluded.sha256,
    width = excluded.width, height = excluded.height, has_captions = excluded.has_captions
RETURNING *
"""


class ArtifactStore:
    """Stores the metadata of each job's finished video. The workspace holds the file itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, artifact: Artifact) -> None:
        """Store an artifact, or update the row that an earlier attempt at the same step stored."""
        await self._database.row(
            _SAVE,
            {
                "job_id": artifact.job_id,
                "size": artifact.size,
                "sha256": artifact.sha256,
                "created_at": artifact.created_at,
                "width": artifact.width,
                "height": artifact.height,
                "has_captions": int(artifact.has_captions),
            },
        )

    async def mark_delivered(self, job_id: str, *, now: float) -> None:
        """Store the time of the first delivery of a video."""
        await self._database.row(
            "UPDATE artifacts SET delivered_at = :now WHERE job_id = :job_id"
            " AND delivered_at IS NULL RETURNING job_id",
            {"job_id": job_id, "now": now},
        )

    async def withdraw_shares(self, job_id: str) -> bool:
        """Invalidate the existing links to a video's page, or return False if there is no video."""
        row = await self._database.row(
            "UPDATE artifacts SET share_serial = share_serial + 1 WHERE job_id = :job_id"
            " RETURNING job_id",
            {"job_id": job_id},
        )
        return row is not None

    async def get(self, job_id: str) -> Artifact | None:
        """Read the artifact of a job, or return None if the job has none."""
        row = await self._database.row(
            "SELECT * FROM artifacts WHERE job_id = :job_id", {"job_id": job_id}
        )
        if row is None:
            return None
        return Artifact(
            job_id=row["job_id"],
            size=row["size"],
            sha256=row["sha256"],
            created_at=row["created_at"],
            delivered_at=row["delivered_at"],
            share_serial=row["share_serial"],
            width=row["width"],
            height=row["height"],
            has_captions=bool(row["has_captions"]),
        )

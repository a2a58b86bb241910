"""The tables of a move, and what is compared of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DIGEST_BYTES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table with the columns that are moved. The database computes the others."""

    name: str
    columns: tuple[str, ...]

    @property
    def quoted_columns(self) -> str:
        """The columns as they are written in a statement."""
        return ", ".join(f'"{column}"' for column in self.columns)


@dataclass(kw_only=True, slots=True)
class Tally:
    """The number of rows, and the sum of their digests, which is the same in any order."""

    rows: int = 0
    digests: int = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Count rows."""
        for row in rows:
            text = repr(tuple(row)).encode()
            digest = hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest()
            self.rows += 1
            self.digests += int.from_bytes(digest)


def cleaned(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row without NUL characters, which PostgreSQL's texts can't contain."""
    return tuple(
        value.replace("\0", "") if isinstance(value, str) and "\0" in value else value
        for value in row
    )

"""Payers: hashes people's IDs for the ledger. After each month, the hashes become untraceable."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.ledger.budgets import LedgerStore

_KEY_BYTES = 32
_HASH_CHARACTERS = 32


class Payers:
    """Hashes people's IDs with a key for each month. The key is deleted when the month is over."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._keys = dict[str, bytes]()

    async def payer(self, user_id: int, month: str) -> str:
        """Return the hash of a person's ID in a month, such as 2026-11."""
        if month not in self._keys:
            key = await self._store.payer_key(month, secrets.token_bytes(_KEY_BYTES))
            self._keys = {month: key}
        digest = hmac.digest(self._keys[month], str(user_id).encode(), hashlib.sha256)
        return digest.hex()[:_HASH_CHARACTERS]

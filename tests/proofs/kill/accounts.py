"""Compares the bot's ledger with the provider's own account, order by order and in sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.wire import query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.proofs.kill.verdict import Order

_MICROS = 1_000_000
_ENTRIES = """
SELECT jobs.interaction_id, sum(ledger.amount), sum(ledger.kind = 'settled'),
    sum(ledger.kind = 'assumed')
FROM ledger JOIN jobs ON jobs.id = ledger.job_id GROUP BY jobs.interaction_id
"""
_SUMS = """
SELECT (SELECT coalesce(sum(amount), 0) FROM ledger),
    (SELECT coalesce(sum(spent), 0) FROM ledger_sums WHERE scope = 'all' AND length(period) = 7)
"""


@dataclass(frozen=True, kw_only=True)
class Account:
    """An order's cost in micro-dollars; `is_certain`: the ledger does not mark it as assumed."""

    prompt: str
    in_ledger: int
    at_provider: int
    is_certain: bool

    @property
    def is_wrong(self) -> bool:
        """A certain cost is the provider's to the cent, and an assumed one is never below it."""
        if self.is_certain:
            return self.in_ledger != self.at_provider
        return self.in_ledger < self.at_provider


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The accounts of all orders; `is_balanced`: the ledger's sum is that of its entries."""

    orders: list[Account]
    is_balanced: bool

    def lines(self) -> list[str]:
        """Return the figures, and a line for each order whose cost is wrong."""
        certain = [account for account in self.orders if account.is_certain]
        assumed = [account for account in self.orders if not account.is_certain]
        rows = (("in all", self.orders), ("certain", certain), ("assumed", assumed))
        return [
            *(f"  costs {name}: {_figures(accounts)}" for name, accounts in rows),
            *(
                f"  WRONG: {account.prompt}: {_figures([account])}"
                for account in self.orders
                if account.is_wrong
            ),
            *(() if self.is_balanced else ("  WRONG: the sums are not those of the entries",)),
        ]

    @property
    def wrong(self) -> int:
        """The number of orders whose cost is wrong, and 1 more if the sums are."""
        return sum(account.is_wrong for account in self.orders) + (not self.is_balanced)


def read_accounts(data_dir: Path, orders: Iterable[Order], billed: Mapping[str, int]) -> Accounts:
    """Read the ledger; `billed`: what the provider charges for each prompt, in micro-dollars."""
    found = {
        interaction: (spent, bool(settled and not assumed))
        for interaction, spent, settled, assumed in query(data_dir, _ENTRIES)
    }
    accounts: list[Account] = []
    for order in orders:
        # The bot never received an order without entries, so it is certain that it cost nothing.
        spent, is_certain = found.get(order.interaction.id, (0, True))
        accounts.append(
            Account(
                prompt=order.prompt,
                in_ledger=spent,
                at_provider=billed.get(order.prompt, 0),
                # A job that was refused before it was sent has no settled cost but 0.
                is_certain=is_certain or spent == 0,
            )
        )
    [(entries, sums)] = query(data_dir, _SUMS)
    of_orders = sum(account.in_ledger for account in accounts)
    return Accounts(orders=accounts, is_balanced=entries == sums == of_orders)


def _figures(accounts: list[Account]) -> str:
    ledger = sum(account.in_ledger for account in accounts) / _MICROS
    provider = sum(account.at_provider for account in accounts) / _MICROS
    return f"{len(accounts)} orders, ledger ${ledger:.2f}, provider ${provider:.2f}"

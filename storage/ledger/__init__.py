"""The ledger of costs, and the budgets."""

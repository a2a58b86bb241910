"""The ledger of costs, and the budgets that limit them."""

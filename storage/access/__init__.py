"""The access settings of servers and of the operator, and the audit of changes to them."""

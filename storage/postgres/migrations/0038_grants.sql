-- Tells a repeated grant from a new one. NULL: the entry is no grant, or older than this column.
ALTER TABLE ledger ADD COLUMN grant_id TEXT;
CREATE UNIQUE INDEX ledger_by_grant ON ledger (grant_id) WHERE grant_id IS NOT NULL;

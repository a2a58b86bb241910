-- The settings of the server at the time of the order. NULL: those of the requester or of the operator.
ALTER TABLE jobs ADD COLUMN card_language TEXT;
ALTER TABLE jobs ADD COLUMN is_spoiler INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN notify_default TEXT;

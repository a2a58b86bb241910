-- Whether a person has chosen when to get a DM. The row of one who has not, because Discord refused
-- a DM to them, has the default of that time, which the operator can now set.
ALTER TABLE people ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0 CHECK (chosen IN (0, 1));

UPDATE people SET chosen = 1 WHERE dm_closed_at IS NULL OR notify <> 'always';

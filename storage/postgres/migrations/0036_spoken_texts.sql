-- Earlier versions did not store whether the voice was asked for a text, so its whole price counts.
UPDATE speeches SET settled_micros = reserved_micros, settled_at = at WHERE settled_micros IS NULL;

-- A person's text and the id under which its sound is kept, for a day. NULL: nothing is kept.
ALTER TABLE speeches ADD COLUMN text TEXT;
ALTER TABLE speeches ADD COLUMN narration_id TEXT;

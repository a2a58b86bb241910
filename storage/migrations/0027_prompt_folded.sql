-- The prompt in the form in which searches compare texts. The bot writes it, also for the rows that exist.
ALTER TABLE jobs ADD COLUMN prompt_folded TEXT NOT NULL DEFAULT '';

-- How often the links to a video's page were withdrawn: those that were signed before are over.
ALTER TABLE artifacts ADD COLUMN share_serial INTEGER NOT NULL DEFAULT 0;

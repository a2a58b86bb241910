-- Whether a video has captions, which are kept in a file next to it.
ALTER TABLE artifacts ADD COLUMN has_captions INTEGER NOT NULL DEFAULT 0;

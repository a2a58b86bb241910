-- Whether the video that a job takes over has a narration in it: the job that it came of may be deleted.
ALTER TABLE jobs ADD COLUMN clip_has_voice INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET clip_has_voice = 1 WHERE clip_of IN (
    SELECT id FROM jobs WHERE attachment_name IS NOT NULL AND note IS NOT 'note.not_merged');

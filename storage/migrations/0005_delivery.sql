-- Whether the video that a job takes over has a narration in it: the job that it came of may be deleted.
ALTER TABLE jobs ADD COLUMN clip_has_voice INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET clip_has_voice = 1 WHERE clip_of IN (
    SELECT id FROM jobs WHERE attachment_name IS NOT NULL AND note IS NOT 'note.not_merged');
-- Its message can't be reached any more. This was a note, in the place of what the film itself had to say.
ALTER TABLE jobs ADD COLUMN card_gone INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET card_gone = 1, note = NULL WHERE note = 'note.card_gone';

-- A text to speak instead of an attached narration.
ALTER TABLE jobs ADD COLUMN attachment_text TEXT;

-- Who had a text spoken, and when: the caps count it for a day.
CREATE TABLE speeches (
    interaction_id INTEGER PRIMARY KEY,
    user_id        INTEGER NOT NULL,
    at             REAL NOT NULL
) STRICT;

CREATE INDEX speeches_by_age ON speeches (at);

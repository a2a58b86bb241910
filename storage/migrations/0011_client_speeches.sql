-- API clients have texts spoken too, without an interaction.
CREATE TABLE counted_speeches (
    id             INTEGER PRIMARY KEY,
    interaction_id INTEGER UNIQUE,
    user_id        INTEGER,
    client         TEXT,
    at             REAL NOT NULL,
    CHECK ((user_id IS NULL) <> (client IS NULL))
) STRICT;

INSERT INTO counted_speeches (interaction_id, user_id, at)
SELECT interaction_id, user_id, at FROM speeches;

DROP TABLE speeches;
ALTER TABLE counted_speeches RENAME TO speeches;

CREATE INDEX speeches_by_age ON speeches (at);

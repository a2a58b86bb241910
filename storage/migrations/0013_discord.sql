-- Another process answered interactions with this bot's token: when, how often, and when the operator was told.
CREATE TABLE second_bots (
    application_id INTEGER PRIMARY KEY,
    first_at REAL NOT NULL,
    last_at  REAL NOT NULL,
    times    INTEGER NOT NULL,
    told_at  REAL
) STRICT;

-- Whether the bot itself can edit the card is not known before it has done so.
ALTER TABLE jobs ADD COLUMN by_bot_unproven INTEGER NOT NULL DEFAULT 0;

-- The last DM to a person that Discord refused, by its marker: that one is not tried again.
CREATE TABLE refused_dms (
    user_id INTEGER PRIMARY KEY,
    marker  TEXT NOT NULL,
    at      REAL NOT NULL
) STRICT;
INSERT INTO refused_dms (user_id, marker, at)
SELECT user_id, '', dm_closed_at FROM people WHERE dm_closed_at IS NOT NULL;

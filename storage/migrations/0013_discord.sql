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

-- The job or event that the last DM to a person was about, which Discord refused: it is not tried again.
CREATE TABLE refused_dms (
    user_id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL
) STRICT;

-- The servers that were sent the owner's commands, so that these can be removed again.
CREATE TABLE owner_servers (
    application_id INTEGER NOT NULL,
    server_id      INTEGER NOT NULL,
    PRIMARY KEY (application_id, server_id)
) STRICT, WITHOUT ROWID;

-- The log channel, while Discord refuses its messages. `told_at`: when the operator was told; NULL: not yet.
CREATE TABLE closed_log_channels (
    channel_id INTEGER PRIMARY KEY,
    since      REAL NOT NULL,
    reason     TEXT NOT NULL,
    told_at    REAL
) STRICT;

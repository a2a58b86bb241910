-- The servers that were sent the owner's commands, so that these can be removed again.
CREATE TABLE owner_servers (
    application_id BIGINT NOT NULL,
    server_id      BIGINT NOT NULL,
    PRIMARY KEY (application_id, server_id)
);

-- The log channel, while Discord refuses its messages. `told_at`: when the operator was told; NULL: not yet.
CREATE TABLE closed_log_channels (
    channel_id BIGINT PRIMARY KEY,
    since      DOUBLE PRECISION NOT NULL,
    reason     TEXT NOT NULL,
    told_at    DOUBLE PRECISION
);

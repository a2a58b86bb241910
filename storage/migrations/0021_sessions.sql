-- Hashes of the page's sessions that were signed out, until they would have expired (Unix seconds).
CREATE TABLE signed_out (
    hash       TEXT PRIMARY KEY,
    client     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX signed_out_by_time ON signed_out (expires_at);

-- How often a client has signed out everywhere: its sessions carry the number, and those of a lower one are over.
CREATE TABLE session_generations (
    client     TEXT PRIMARY KEY,
    generation INTEGER NOT NULL
) STRICT;

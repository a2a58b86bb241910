-- The number of jobs that a provider works on at the same time, after it has refused one more. It rises with time.
CREATE TABLE lowered_limits (
    backend    TEXT PRIMARY KEY,
    jobs       INTEGER NOT NULL,
    lowered_at REAL NOT NULL
) STRICT;

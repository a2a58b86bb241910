-- A provider that refuses creates for reasons of its own. One row for each backend that did: `counting`
-- until it is enough, `open` while jobs wait, `over` until the operator knows that it works again.
CREATE TABLE circuits (
    backend   TEXT PRIMARY KEY,
    state     TEXT NOT NULL DEFAULT 'counting' CHECK (state IN ('counting', 'open', 'over')),
    reason    TEXT NOT NULL CHECK (reason IN ('auth', 'balance', 'outage')),
    refusals  INTEGER NOT NULL,
    -- Those since it opened, and when the next one may be made.
    probes    INTEGER NOT NULL DEFAULT 0,
    opened_at REAL,
    probe_at  REAL,
    -- The reason that the operator was told, and whether that has reached anybody.
    told      TEXT,
    reached   INTEGER NOT NULL DEFAULT 0,

    CHECK (state = 'counting' OR (opened_at IS NOT NULL AND probe_at IS NOT NULL))
) STRICT;

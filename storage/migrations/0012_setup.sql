-- One more reason: the address or the model that the operator has set is none of the provider's.
CREATE TABLE new_circuits (
    backend   TEXT PRIMARY KEY,
    state     TEXT NOT NULL DEFAULT 'counting' CHECK (state IN ('counting', 'open', 'over')),
    reason    TEXT NOT NULL CHECK (reason IN ('auth', 'balance', 'setup', 'outage')),
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

INSERT INTO new_circuits SELECT * FROM circuits;
DROP TABLE circuits;
ALTER TABLE new_circuits RENAME TO circuits;

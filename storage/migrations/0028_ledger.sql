-- Amounts are in micro-dollars. `price_micros`: the most that one create request of the job may cost.
-- `reserved_micros`: the most that all of them may cost. `settled_micros`: their cost, or NULL if it is not known yet.
-- `payer`: a keyed hash of the person. `ledger_day`: the calendar day that the amounts count towards, as in
-- 2026-11-30; NULL: the job is older than the ledger.
ALTER TABLE jobs ADD COLUMN price_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN reserved_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN settled_micros INTEGER;
ALTER TABLE jobs ADD COLUMN payer TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN ledger_day TEXT;

-- `amount` changes what is spent, and `granted` what the person may spend. `payer` and `server` may be empty.
CREATE TABLE ledger (
    id      INTEGER PRIMARY KEY,
    at      REAL NOT NULL,
    day     TEXT NOT NULL,
    kind    TEXT NOT NULL,
    job_id  TEXT,
    server  TEXT NOT NULL,
    payer   TEXT NOT NULL,
    amount  INTEGER NOT NULL DEFAULT 0,
    granted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX ledger_by_job ON ledger (job_id);

CREATE TRIGGER ledger_keeps_amounts BEFORE UPDATE ON ledger BEGIN
    SELECT raise(ABORT, 'ledger entries are never changed');
END;
CREATE TRIGGER ledger_keeps_entries BEFORE DELETE ON ledger BEGIN
    SELECT raise(ABORT, 'ledger entries are never deleted');
END;

-- The sums of the entries. `scope`: all, a server as in `queue_server`, or person: and a payer. `period`: a day or a
-- month, as in 2026-11.
CREATE TABLE ledger_sums (
    scope   TEXT NOT NULL,
    period  TEXT NOT NULL,
    spent   INTEGER NOT NULL,
    granted INTEGER NOT NULL,
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_summed AFTER INSERT ON ledger BEGIN
    INSERT INTO ledger_sums (scope, period, spent, granted)
    SELECT scope, period, NEW.amount, NEW.granted FROM (
        SELECT 'all' AS scope, NEW.day AS period WHERE NEW.granted = 0
        UNION ALL SELECT 'all', substr(NEW.day, 1, 7) WHERE NEW.granted = 0
        UNION ALL SELECT NEW.server, substr(NEW.day, 1, 7) WHERE NEW.server <> ''
        UNION ALL SELECT 'person:' || NEW.payer, substr(NEW.day, 1, 7) WHERE NEW.payer <> '') AS sums
    WHERE true
    ON CONFLICT (scope, period) DO UPDATE SET
        spent = ledger_sums.spent + excluded.spent,
        granted = ledger_sums.granted + excluded.granted;
END;

CREATE TRIGGER jobs_reserved AFTER INSERT ON jobs WHEN NEW.reserved_micros <> 0 BEGIN
    INSERT INTO ledger (at, day, kind, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day, 'reserved', NEW.id, NEW.queue_server, NEW.payer,
        NEW.reserved_micros);
END;

CREATE TRIGGER jobs_charged AFTER UPDATE OF reserved_micros, settled_micros ON jobs
WHEN NEW.reserved_micros <> OLD.reserved_micros
    OR (NEW.settled_micros IS NOT OLD.settled_micros
        AND (NEW.settled_micros <> 0 OR NEW.reserved_micros <> 0)) BEGIN
    INSERT INTO ledger (at, day, kind, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day,
        CASE WHEN NEW.settled_micros IS NULL THEN 'reserved' ELSE 'settled' END,
        NEW.id, NEW.queue_server, NEW.payer,
        coalesce(NEW.settled_micros, NEW.reserved_micros)
            - coalesce(OLD.settled_micros, OLD.reserved_micros));
END;

-- The key of each month's payers. A key is deleted after its month, so that nothing leads from an entry to a person.
CREATE TABLE payer_keys (
    month TEXT PRIMARY KEY,
    key   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

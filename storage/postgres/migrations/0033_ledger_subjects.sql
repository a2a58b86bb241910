-- `subject`: clip, narration (a text that is read aloud) or prompt (a request to the prompt writer); `budget` for grants.
ALTER TABLE ledger ADD COLUMN subject TEXT NOT NULL DEFAULT 'clip';

-- What a job's narration and its prompt can cost, and their cost once they are requested or not needed any more.
ALTER TABLE jobs ADD COLUMN voice_reserved_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN voice_settled_micros BIGINT;
ALTER TABLE jobs ADD COLUMN writer_reserved_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN writer_settled_micros BIGINT;
-- `cost_usd` in micro-dollars.
ALTER TABLE jobs ADD COLUMN told_micros BIGINT;

CREATE FUNCTION jobs_voice_reserved() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, subject, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day, 'reserved', 'narration', NEW.id, NEW.queue_server, NEW.payer,
        NEW.voice_reserved_micros);
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_voice_reserved AFTER INSERT ON jobs FOR EACH ROW
    WHEN (NEW.voice_reserved_micros <> 0)
    EXECUTE FUNCTION jobs_voice_reserved();

CREATE FUNCTION jobs_voice_settled() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, subject, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day, 'settled', 'narration', NEW.id, NEW.queue_server, NEW.payer,
        coalesce(NEW.voice_settled_micros, NEW.voice_reserved_micros)
            - coalesce(OLD.voice_settled_micros, OLD.voice_reserved_micros));
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_voice_settled AFTER UPDATE OF voice_settled_micros ON jobs FOR EACH ROW
    WHEN (NEW.voice_reserved_micros <> 0
        AND NEW.voice_settled_micros IS DISTINCT FROM OLD.voice_settled_micros)
    EXECUTE FUNCTION jobs_voice_settled();

CREATE FUNCTION jobs_writer_reserved() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, subject, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day, 'reserved', 'prompt', NEW.id, NEW.queue_server, NEW.payer,
        NEW.writer_reserved_micros);
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_writer_reserved AFTER INSERT ON jobs FOR EACH ROW
    WHEN (NEW.writer_reserved_micros <> 0)
    EXECUTE FUNCTION jobs_writer_reserved();

CREATE FUNCTION jobs_writer_settled() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, subject, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day, 'settled', 'prompt', NEW.id, NEW.queue_server, NEW.payer,
        coalesce(NEW.writer_settled_micros, NEW.writer_reserved_micros)
            - coalesce(OLD.writer_settled_micros, OLD.writer_reserved_micros));
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_writer_settled AFTER UPDATE OF writer_settled_micros ON jobs FOR EACH ROW
    WHEN (NEW.writer_reserved_micros <> 0
        AND NEW.writer_settled_micros IS DISTINCT FROM OLD.writer_settled_micros)
    EXECUTE FUNCTION jobs_writer_settled();

-- A text that is read aloud without a job. The columns mean the same as those of jobs.
ALTER TABLE speeches ADD COLUMN server TEXT NOT NULL DEFAULT '';
ALTER TABLE speeches ADD COLUMN payer TEXT NOT NULL DEFAULT '';
ALTER TABLE speeches ADD COLUMN ledger_day TEXT;
ALTER TABLE speeches ADD COLUMN reserved_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE speeches ADD COLUMN settled_micros BIGINT;
ALTER TABLE speeches ADD COLUMN settled_at DOUBLE PRECISION;

CREATE FUNCTION speeches_reserved() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, subject, server, payer, amount)
    VALUES (NEW.at, NEW.ledger_day, 'reserved', 'narration', NEW.server, NEW.payer, NEW.reserved_micros);
    RETURN NULL;
END $$;
CREATE TRIGGER speeches_reserved AFTER INSERT ON speeches FOR EACH ROW
    WHEN (NEW.reserved_micros <> 0)
    EXECUTE FUNCTION speeches_reserved();

CREATE FUNCTION speeches_settled() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, subject, server, payer, amount)
    VALUES (NEW.settled_at, NEW.ledger_day, 'settled', 'narration', NEW.server, NEW.payer,
        coalesce(NEW.settled_micros, NEW.reserved_micros) - coalesce(OLD.settled_micros, OLD.reserved_micros));
    RETURN NULL;
END $$;
CREATE TRIGGER speeches_settled AFTER UPDATE OF settled_micros ON speeches FOR EACH ROW
    WHEN (NEW.reserved_micros <> 0 AND NEW.settled_micros IS DISTINCT FROM OLD.settled_micros)
    EXECUTE FUNCTION speeches_settled();

-- The sums of all entries, for the metrics.
CREATE TABLE ledger_totals (
    subject TEXT NOT NULL,
    kind    TEXT NOT NULL,
    amount  BIGINT NOT NULL,
    PRIMARY KEY (subject, kind)
);
INSERT INTO ledger_totals (subject, kind, amount)
SELECT subject, kind, sum(amount + granted) FROM ledger GROUP BY subject, kind;
CREATE FUNCTION ledger_totalled() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger_totals (subject, kind, amount)
    VALUES (NEW.subject, NEW.kind, NEW.amount + NEW.granted)
    ON CONFLICT (subject, kind) DO UPDATE SET amount = ledger_totals.amount + excluded.amount;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_totalled AFTER INSERT ON ledger FOR EACH ROW
    EXECUTE FUNCTION ledger_totalled();

-- Of the clips for which a provider reported a cost: the sum of these costs, their sum in the ledger, and the highest.
CREATE TABLE told_costs (
    backend TEXT PRIMARY KEY,
    jobs    BIGINT NOT NULL,
    told    BIGINT NOT NULL,
    settled BIGINT NOT NULL,
    most    BIGINT NOT NULL
);
CREATE FUNCTION jobs_told() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO told_costs (backend, jobs, told, settled, most)
    VALUES (NEW.backend, 1, NEW.told_micros, NEW.settled_micros, NEW.told_micros)
    ON CONFLICT (backend) DO UPDATE SET
        jobs = told_costs.jobs + 1,
        told = told_costs.told + excluded.told,
        settled = told_costs.settled + excluded.settled,
        most = CASE WHEN excluded.most > told_costs.most THEN excluded.most ELSE told_costs.most END;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_told AFTER UPDATE OF settled_micros ON jobs FOR EACH ROW
    WHEN (OLD.settled_micros IS NULL AND NEW.settled_micros IS NOT NULL AND NEW.told_micros IS NOT NULL)
    EXECUTE FUNCTION jobs_told();

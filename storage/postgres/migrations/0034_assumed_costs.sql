-- An entry of the kind `assumed` settles a job in which some part of the cost is not proven: a create request without
-- a clear answer, or a job that failed or was cancelled and whose cost the provider did not report.
CREATE OR REPLACE FUNCTION jobs_charged() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day,
        CASE
            WHEN NEW.settled_micros IS NULL THEN 'reserved'
            WHEN NEW.settled_micros > 0 AND (NEW.reserved_micros > NEW.price_micros
                OR (NEW.state IN ('failed', 'cancelled') AND NEW.cost_usd IS NULL)) THEN 'assumed'
            ELSE 'settled' END,
        NEW.id, NEW.queue_server, NEW.payer,
        coalesce(NEW.settled_micros, NEW.reserved_micros)
            - coalesce(OLD.settled_micros, OLD.reserved_micros));
    RETURN NULL;
END $$;

-- The owner's page names the people of a month by the jobs that they still have.
CREATE INDEX jobs_of_payer ON jobs (payer) WHERE payer <> '';

-- The schema of the SQLite database as of migration 0030, with the same names. Later migrations have the same numbers
-- and the same meaning in both databases.

-- The functions of SQLite that the statements use.
CREATE FUNCTION instr(TEXT, TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT strpos($1, $2)';

-- STRICT keeps the planner from replacing the function by its query, whose number of rows it can only guess.
CREATE FUNCTION json_each(TEXT) RETURNS TABLE (key TEXT, value TEXT)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS $$
    SELECT CAST(number - 1 AS TEXT), item FROM json_array_elements_text(
        CASE WHEN left(ltrim($1), 1) = '[' THEN CAST($1 AS JSON) ELSE '[]' END)
        WITH ORDINALITY AS items (item, number)
    UNION ALL
    SELECT pairs.key, pairs.value FROM json_each_text(
        CASE WHEN left(ltrim($1), 1) = '{' THEN CAST($1 AS JSON) ELSE '{}' END) AS pairs
$$;

-- As in SQLite, a number stays a number.
CREATE FUNCTION json_number(TEXT, INTEGER) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT CAST(CAST($1 AS JSON) ->> $2 AS BIGINT)';
CREATE OPERATOR ->> (LEFTARG = TEXT, RIGHTARG = INTEGER, FUNCTION = json_number);

-- Times are Unix seconds. A job's state names the step that is due, and next_at the time at which it is due. NULL:
-- no step is due.
CREATE TABLE jobs (
    id                 TEXT PRIMARY KEY CHECK (length(id) = 32),
    state              TEXT NOT NULL CHECK (state IN (
                           'received', 'queued', 'submitting', 'unconfirmed', 'undecided',
                           'generating', 'downloading', 'merging', 'delivering', 'notifying',
                           'succeeded', 'failed', 'cancelled')),
    epoch              BIGINT NOT NULL DEFAULT 0,
    attempts           BIGINT NOT NULL DEFAULT 0,
    next_at            DOUBLE PRECISION,
    created_at         DOUBLE PRECISION NOT NULL,
    updated_at         DOUBLE PRECISION NOT NULL,
    hold               TEXT,
    held_since         DOUBLE PRECISION,

    backend            TEXT NOT NULL,
    account            TEXT,
    prompt             TEXT NOT NULL,
    -- The prompt in the form in which searches compare texts.
    prompt_folded      TEXT NOT NULL DEFAULT '',
    sent_prompt        TEXT,
    model              TEXT,
    seconds            BIGINT NOT NULL,
    size               TEXT NOT NULL,
    fingerprint        TEXT NOT NULL,

    -- The requester is a person in Discord, whose command is one job even if it is sent twice.
    interaction_id     BIGINT UNIQUE,
    application_id     BIGINT,
    user_id            BIGINT,
    guild_id           BIGINT,
    home_id            BIGINT,
    channel_id         BIGINT,
    locale             TEXT,
    token              TEXT,
    token_until        DOUBLE PRECISION,
    upload_limit       BIGINT,
    message_id         BIGINT,
    card_gone          BIGINT NOT NULL DEFAULT 0,
    card_language      TEXT,
    is_spoiler         BIGINT NOT NULL DEFAULT 0,
    notify_default     TEXT,
    -- Whether the bot itself can edit the message after the token has expired.
    by_bot             BIGINT NOT NULL DEFAULT 1,
    by_bot_unproven    BIGINT NOT NULL DEFAULT 0,
    -- Or the requester is an API client, which may give the job a key.
    client             TEXT,
    client_key         TEXT,
    client_digest      TEXT,
    queue_server       TEXT GENERATED ALWAYS AS (CASE
                           WHEN client IS NOT NULL THEN 'client:' || client
                           WHEN coalesce(home_id, guild_id) IS NOT NULL
                           THEN 'server:' || CAST(coalesce(home_id, guild_id) AS TEXT)
                           ELSE 'dm' END) STORED,
    queue_person       TEXT GENERATED ALWAYS AS (coalesce(CAST(user_id AS TEXT), '')) STORED,

    attachment_name    TEXT,
    attachment_size    BIGINT,
    attachment_url     TEXT,
    attachment_text    TEXT,
    -- The jobs whose narration and whose finished video this job reuses. Their rows may be deleted.
    narration_of       TEXT,
    clip_of            TEXT,
    clip_has_voice     BIGINT NOT NULL DEFAULT 0,

    create_key         TEXT,
    submitted_at       DOUBLE PRECISION,
    submits            BIGINT NOT NULL DEFAULT 0,
    misses             BIGINT NOT NULL DEFAULT 0,
    remote_id          TEXT,
    remote_made_at     DOUBLE PRECISION,
    remote_deleted_at  DOUBLE PRECISION,
    remote_passed_at   DOUBLE PRECISION,
    echoes_order       BIGINT NOT NULL DEFAULT 1,
    generating_at      DOUBLE PRECISION,
    generated_seconds  DOUBLE PRECISION,
    deadline_at        DOUBLE PRECISION,
    late               BIGINT NOT NULL DEFAULT 0,
    progress           BIGINT CHECK (progress BETWEEN 0 AND 100),

    -- Amounts of the ledger are in micro-dollars.
    cost_usd           DOUBLE PRECISION,
    price_micros       BIGINT NOT NULL DEFAULT 0,
    reserved_micros    BIGINT NOT NULL DEFAULT 0,
    settled_micros     BIGINT,
    payer              TEXT NOT NULL DEFAULT '',
    ledger_day         TEXT,

    dm_intent_at       DOUBLE PRECISION,
    failure_key        TEXT,
    failure_fields     TEXT,
    note               TEXT,
    deleted_at         DOUBLE PRECISION,
    erased_at          DOUBLE PRECISION,
    -- The order in which rows were inserted, as in SQLite.
    rowid              BIGINT GENERATED BY DEFAULT AS IDENTITY,

    CHECK ((client IS NULL) = (interaction_id IS NOT NULL)),
    CHECK (client IS NOT NULL OR (application_id IS NOT NULL AND user_id IS NOT NULL
        AND channel_id IS NOT NULL AND locale IS NOT NULL AND token_until IS NOT NULL
        AND upload_limit IS NOT NULL)),
    CHECK (state IN ('received', 'failed', 'cancelled') OR message_id IS NOT NULL
        OR client IS NOT NULL),
    CHECK (state NOT IN ('generating', 'downloading', 'merging', 'delivering', 'notifying',
                         'succeeded') OR remote_id IS NOT NULL OR clip_of IS NOT NULL)
);
CREATE INDEX jobs_at_provider ON jobs (backend, client)
    WHERE state IN ('submitting', 'unconfirmed', 'generating');
CREATE INDEX jobs_by_any_remote_id ON jobs (remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX jobs_by_client ON jobs (client, created_at) WHERE client IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_client_key ON jobs (client, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX jobs_by_day ON jobs (created_at);
CREATE INDEX jobs_by_message ON jobs (message_id) WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_remote_id ON jobs (backend, remote_id)
    WHERE remote_id IS NOT NULL AND remote_passed_at IS NULL;
CREATE INDEX jobs_by_user ON jobs (user_id, created_at);
CREATE INDEX jobs_counted ON jobs (created_at)
    WHERE (state NOT IN ('failed', 'cancelled') OR submitted_at IS NOT NULL) AND clip_of IS NULL;
CREATE INDEX jobs_counted_of_person ON jobs (user_id, created_at) WHERE user_id IS NOT NULL
    AND (state NOT IN ('failed', 'cancelled') OR submitted_at IS NOT NULL) AND clip_of IS NULL;
CREATE INDEX jobs_counted_of_server ON jobs (queue_server, created_at)
    WHERE (state NOT IN ('failed', 'cancelled') OR submitted_at IS NOT NULL) AND clip_of IS NULL;
CREATE INDEX jobs_due ON jobs (state, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX jobs_generated ON jobs (backend, seconds, size, model, created_at)
    WHERE generated_seconds IS NOT NULL;
CREATE INDEX jobs_on_hold ON jobs (hold) WHERE hold IS NOT NULL;
-- While one such create request is unconfirmed, a list of jobs could not tell a second one from it.
CREATE UNIQUE INDEX jobs_one_create ON jobs (backend, fingerprint)
    WHERE state IN ('submitting', 'unconfirmed');
CREATE INDEX jobs_open ON jobs (user_id, state) WHERE state IN ('received', 'queued', 'submitting',
    'unconfirmed', 'generating', 'downloading', 'merging');
CREATE INDEX jobs_open_of_client ON jobs (client, state) WHERE client IS NOT NULL
    AND state IN ('received', 'queued', 'submitting', 'unconfirmed', 'generating', 'downloading',
    'merging');
CREATE INDEX jobs_queued ON jobs (queue_server, queue_person, next_at)
    WHERE state = 'queued' AND next_at IS NOT NULL;
CREATE INDEX jobs_queued_of_server ON jobs (queue_server, next_at)
    WHERE state = 'queued' AND next_at IS NOT NULL;
CREATE INDEX jobs_undecided ON jobs (backend) WHERE state = 'undecided';
CREATE INDEX jobs_unmade ON jobs (state) WHERE clip_of IS NULL
    AND state IN ('received', 'queued', 'submitting', 'unconfirmed', 'generating');
CREATE INDEX jobs_with_reused_id ON jobs (backend) WHERE remote_passed_at IS NOT NULL;

CREATE TABLE job_events (
    job_id     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    at         DOUBLE PRECISION NOT NULL,
    epoch      BIGINT NOT NULL,
    from_state TEXT,
    to_state   TEXT NOT NULL,
    rowid      BIGINT GENERATED BY DEFAULT AS IDENTITY
);
CREATE INDEX job_events_answered ON job_events (rowid)
    WHERE from_state = 'submitting' AND to_state = 'generating';
CREATE INDEX job_events_by_job ON job_events (job_id, at);

CREATE TABLE artifacts (
    job_id     TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    size       BIGINT NOT NULL,
    sha256     TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    delivered_at DOUBLE PRECISION,
    share_serial BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE due_copies (
    job_id   TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    next_at  DOUBLE PRECISION NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX due_copies_by_time ON due_copies (next_at);

-- Webhooks, because senders repeat them, and because some arrive before the create request is answered.
CREATE TABLE inbox (
    backend     TEXT NOT NULL,
    webhook_id  TEXT NOT NULL,
    remote_id   TEXT NOT NULL,
    received_at DOUBLE PRECISION NOT NULL,
    rowid       BIGINT GENERATED BY DEFAULT AS IDENTITY,
    PRIMARY KEY (backend, webhook_id)
);
CREATE INDEX inbox_by_age ON inbox (received_at);
CREATE INDEX inbox_by_remote_id ON inbox (backend, remote_id);

-- `turn` grows with each started job. `since` is the time at which the first of the `waiting` jobs was queued.
-- `started_at` tells when a row may be deleted.
CREATE TABLE server_turns (
    server     TEXT PRIMARY KEY,
    waiting    BIGINT NOT NULL,
    turn       BIGINT NOT NULL DEFAULT 0,
    since      DOUBLE PRECISION NOT NULL,
    started_at DOUBLE PRECISION
);
CREATE INDEX server_turns_last ON server_turns (turn);
CREATE UNIQUE INDEX server_turns_waiting ON server_turns (turn, since, server) WHERE waiting > 0;

CREATE TABLE person_turns (
    server     TEXT NOT NULL,
    person     TEXT NOT NULL,
    waiting    BIGINT NOT NULL,
    turn       BIGINT NOT NULL DEFAULT 0,
    since      DOUBLE PRECISION NOT NULL,
    started_at DOUBLE PRECISION,
    PRIMARY KEY (server, person)
);
CREATE INDEX person_turns_last ON person_turns (turn);
CREATE UNIQUE INDEX person_turns_waiting ON person_turns (server, turn, since, person)
    WHERE waiting > 0;

-- `actor`: the ID of the person, or NULL for the command line.
CREATE TABLE access_audit (
    id     BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at     DOUBLE PRECISION NOT NULL,
    scope  BIGINT NOT NULL,
    name   TEXT NOT NULL,
    target BIGINT NOT NULL,
    value  TEXT,
    actor  BIGINT
);
CREATE INDEX access_audit_by_scope ON access_audit (scope, id);

-- Who may order, as set in Discord. `scope`: the ID of a server, or 0 for the operator's settings. `target`: the ID of the
-- channel, role, person or server that a setting is about, or 0 for none. A value of NULL removes a setting.
CREATE TABLE access_settings (
    scope      BIGINT NOT NULL,
    name       TEXT NOT NULL,
    target     BIGINT NOT NULL,
    value      TEXT,
    actor      BIGINT,
    changed_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (scope, name, target)
);

CREATE TABLE budget_notices (
    period  TEXT NOT NULL,
    budget  BIGINT NOT NULL,
    percent BIGINT NOT NULL,
    PRIMARY KEY (period, budget)
);

CREATE TABLE circuits (
    backend   TEXT PRIMARY KEY,
    state     TEXT NOT NULL DEFAULT 'counting' CHECK (state IN ('counting', 'open', 'over')),
    reason    TEXT NOT NULL CHECK (reason IN ('auth', 'balance', 'setup', 'outage')),
    refusals  BIGINT NOT NULL,
    probes    BIGINT NOT NULL DEFAULT 0,
    opened_at DOUBLE PRECISION,
    probe_at  DOUBLE PRECISION,
    told      TEXT,
    reached   BIGINT NOT NULL DEFAULT 0,

    CHECK (state = 'counting' OR (opened_at IS NOT NULL AND probe_at IS NOT NULL))
);

-- `since`: earlier times may be of another clock. `sets`: how often the clock was set. `shift`: by how many seconds it
-- was last set.
CREATE TABLE clock (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    boot     TEXT NOT NULL,
    steady   DOUBLE PRECISION NOT NULL,
    seen_at  DOUBLE PRECISION NOT NULL,
    known_at DOUBLE PRECISION NOT NULL,
    since    DOUBLE PRECISION NOT NULL,
    sets     BIGINT NOT NULL DEFAULT 0,
    shift    DOUBLE PRECISION NOT NULL DEFAULT 0
);

CREATE TABLE failing_parts (
    name     TEXT PRIMARY KEY,
    error    TEXT NOT NULL,
    failures BIGINT NOT NULL,
    since    DOUBLE PRECISION NOT NULL,
    last_at  DOUBLE PRECISION NOT NULL,
    told_at  DOUBLE PRECISION
);

CREATE TABLE hold_notices (
    hold    TEXT PRIMARY KEY,
    since   DOUBLE PRECISION NOT NULL,
    reached BIGINT NOT NULL
);

CREATE TABLE identifies (
    application_id BIGINT NOT NULL,
    at             DOUBLE PRECISION NOT NULL,
    after_fault    BIGINT NOT NULL CHECK (after_fault IN (0, 1))
);
CREATE INDEX identifies_by_time ON identifies (application_id, at);

-- `amount` changes what is spent, and `granted` what the person may spend.
CREATE TABLE ledger (
    id      BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at      DOUBLE PRECISION NOT NULL,
    day     TEXT NOT NULL,
    kind    TEXT NOT NULL,
    job_id  TEXT,
    server  TEXT NOT NULL,
    payer   TEXT NOT NULL,
    amount  BIGINT NOT NULL DEFAULT 0,
    granted BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX ledger_by_job ON ledger (job_id);

-- `scope`: all, a server as in `queue_server`, or person: and a payer. `period`: a day, or a month such as 2026-11.
CREATE TABLE ledger_sums (
    scope   TEXT NOT NULL,
    period  TEXT NOT NULL,
    spent   BIGINT NOT NULL,
    granted BIGINT NOT NULL,
    PRIMARY KEY (scope, period)
);

-- `shown_at`: when the list last showed a job whose create request was answered. `orphans`: the jobs in it that no row
-- explains.
CREATE TABLE listings (
    backend    TEXT NOT NULL,
    account    TEXT NOT NULL,
    shown_at   DOUBLE PRECISION,
    orphans    BIGINT,
    counted_at DOUBLE PRECISION,
    is_whole   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (backend, account)
);

-- A key is deleted after its month, so that no entry can be traced to a person.
CREATE TABLE payer_keys (
    month TEXT PRIMARY KEY,
    key   BYTEA NOT NULL
);

CREATE TABLE people (
    user_id        BIGINT PRIMARY KEY,
    notify         TEXT NOT NULL DEFAULT 'always' CHECK (notify IN ('always', 'never', 'late')),
    notify_minutes BIGINT NOT NULL DEFAULT 0,
    dm_closed_at   DOUBLE PRECISION,
    chosen         BIGINT NOT NULL DEFAULT 0 CHECK (chosen IN (0, 1))
);

CREATE TABLE refused_dms (
    user_id BIGINT PRIMARY KEY,
    subject TEXT NOT NULL
);

CREATE TABLE second_bots (
    application_id BIGINT PRIMARY KEY,
    first_at DOUBLE PRECISION NOT NULL,
    last_at  DOUBLE PRECISION NOT NULL,
    times    BIGINT NOT NULL,
    told_at  DOUBLE PRECISION
);

CREATE TABLE sent_commands (
    application_id BIGINT PRIMARY KEY,
    digest TEXT NOT NULL
);

CREATE TABLE session_generations (
    client     TEXT PRIMARY KEY,
    generation BIGINT NOT NULL
);

CREATE TABLE signed_out (
    hash       TEXT PRIMARY KEY,
    client     TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX signed_out_by_time ON signed_out (expires_at);

CREATE TABLE speeches (
    id             BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    interaction_id BIGINT UNIQUE,
    user_id        BIGINT,
    client         TEXT,
    at             DOUBLE PRECISION NOT NULL,
    CHECK ((user_id IS NULL) <> (client IS NULL))
);
CREATE INDEX speeches_by_age ON speeches (at);

CREATE TABLE spent_ref_hashes (
    ref_hash TEXT PRIMARY KEY,
    at       DOUBLE PRECISION NOT NULL
);

CREATE TABLE spent_refs (
    backend   TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (backend, remote_id)
);

-- Where Discord accepted less than it had announced. The server 0 stands for direct messages.
CREATE TABLE upload_limits (
    guild_id   BIGINT PRIMARY KEY,
    bytes      BIGINT NOT NULL,
    learned_at DOUBLE PRECISION NOT NULL
);

-- The events of jobs.
CREATE FUNCTION jobs_inserted() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO job_events (job_id, at, epoch, from_state, to_state)
    VALUES (NEW.id, NEW.created_at, NEW.epoch, NULL, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs FOR EACH ROW
    EXECUTE FUNCTION jobs_inserted();

CREATE FUNCTION jobs_moved() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO job_events (job_id, at, epoch, from_state, to_state)
    VALUES (NEW.id, NEW.updated_at, NEW.epoch, OLD.state, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs FOR EACH ROW WHEN (OLD.state <> NEW.state)
    EXECUTE FUNCTION jobs_moved();

-- The counts of queued jobs, and the turns.
CREATE FUNCTION jobs_queued_new() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO server_turns (server, waiting, since)
    VALUES (NEW.queue_server, 1, NEW.created_at)
    ON CONFLICT (server) DO UPDATE SET
        since = CASE WHEN server_turns.waiting = 0 THEN excluded.since ELSE server_turns.since END,
        waiting = server_turns.waiting + 1;
    INSERT INTO person_turns (server, person, waiting, since)
    VALUES (NEW.queue_server, NEW.queue_person, 1, NEW.created_at)
    ON CONFLICT (server, person) DO UPDATE SET
        since = CASE WHEN person_turns.waiting = 0 THEN excluded.since ELSE person_turns.since END,
        waiting = person_turns.waiting + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_queued_new AFTER INSERT ON jobs FOR EACH ROW WHEN (NEW.state = 'queued')
    EXECUTE FUNCTION jobs_queued_new();

CREATE FUNCTION jobs_queued() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO server_turns (server, waiting, since)
    VALUES (NEW.queue_server, 1, NEW.updated_at)
    ON CONFLICT (server) DO UPDATE SET
        since = CASE WHEN server_turns.waiting = 0 THEN excluded.since ELSE server_turns.since END,
        waiting = server_turns.waiting + 1;
    INSERT INTO person_turns (server, person, waiting, since)
    VALUES (NEW.queue_server, NEW.queue_person, 1, NEW.updated_at)
    ON CONFLICT (server, person) DO UPDATE SET
        since = CASE WHEN person_turns.waiting = 0 THEN excluded.since ELSE person_turns.since END,
        waiting = person_turns.waiting + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_queued AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (NEW.state = 'queued' AND OLD.state <> 'queued')
    EXECUTE FUNCTION jobs_queued();

CREATE FUNCTION jobs_unqueued() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    UPDATE server_turns SET waiting = waiting - 1 WHERE server = OLD.queue_server;
    UPDATE person_turns SET waiting = waiting - 1
    WHERE server = OLD.queue_server AND person = OLD.queue_person;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_unqueued AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (OLD.state = 'queued' AND NEW.state <> 'queued')
    EXECUTE FUNCTION jobs_unqueued();

CREATE FUNCTION jobs_queued_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    UPDATE server_turns SET waiting = waiting - 1 WHERE server = OLD.queue_server;
    UPDATE person_turns SET waiting = waiting - 1
    WHERE server = OLD.queue_server AND person = OLD.queue_person;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_queued_deleted AFTER DELETE ON jobs FOR EACH ROW WHEN (OLD.state = 'queued')
    EXECUTE FUNCTION jobs_queued_deleted();

CREATE FUNCTION jobs_started() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    UPDATE server_turns SET
        turn = (SELECT max(turn) + 1 FROM server_turns), started_at = NEW.updated_at
    WHERE server = NEW.queue_server;
    UPDATE person_turns SET
        turn = (SELECT max(turn) + 1 FROM person_turns), started_at = NEW.updated_at
    WHERE server = NEW.queue_server AND person = NEW.queue_person;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_started AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (NEW.state = 'submitting' AND OLD.state <> 'submitting')
    EXECUTE FUNCTION jobs_started();

-- No other step edits the card of a job that has ended, so its token is deleted with its copy.
CREATE FUNCTION due_copies_done() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    UPDATE jobs SET token = NULL WHERE id = OLD.job_id AND state = 'succeeded';
    RETURN NULL;
END $$;
CREATE TRIGGER due_copies_done AFTER DELETE ON due_copies FOR EACH ROW
    EXECUTE FUNCTION due_copies_done();

-- The audit of access settings. The newest thousand entries of each scope are kept.
CREATE FUNCTION access_set() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO access_audit (at, scope, name, target, value, actor)
    VALUES (NEW.changed_at, NEW.scope, NEW.name, NEW.target, NEW.value, NEW.actor);
    RETURN NULL;
END $$;
CREATE TRIGGER access_set AFTER INSERT ON access_settings FOR EACH ROW
    EXECUTE FUNCTION access_set();

CREATE FUNCTION access_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO access_audit (at, scope, name, target, value, actor)
    VALUES (NEW.changed_at, NEW.scope, NEW.name, NEW.target, NEW.value, NEW.actor);
    DELETE FROM access_settings
    WHERE scope = NEW.scope AND name = NEW.name AND target = NEW.target AND value IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER access_changed AFTER UPDATE ON access_settings FOR EACH ROW
    EXECUTE FUNCTION access_changed();

CREATE FUNCTION access_audited() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM access_audit WHERE scope = NEW.scope AND id <= (
        SELECT id FROM access_audit WHERE scope = NEW.scope ORDER BY id DESC LIMIT 1 OFFSET 1000);
    RETURN NULL;
END $$;
CREATE TRIGGER access_audited AFTER INSERT ON access_audit FOR EACH ROW
    EXECUTE FUNCTION access_audited();

-- The ledger: entries are only added, and their sums are kept.
CREATE FUNCTION ledger_keeps() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'ledger entries are never changed or deleted' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER ledger_keeps BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW
    EXECUTE FUNCTION ledger_keeps();

CREATE FUNCTION ledger_summed() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger_sums (scope, period, spent, granted)
    SELECT sums.scope, sums.period, NEW.amount, NEW.granted FROM (
        SELECT 'all' AS scope, NEW.day AS period WHERE NEW.granted = 0
        UNION ALL SELECT 'all', substr(NEW.day, 1, 7) WHERE NEW.granted = 0
        UNION ALL SELECT NEW.server, substr(NEW.day, 1, 7) WHERE NEW.server <> ''
        UNION ALL SELECT 'person:' || NEW.payer, substr(NEW.day, 1, 7) WHERE NEW.payer <> '') AS sums
    ON CONFLICT (scope, period) DO UPDATE SET
        spent = ledger_sums.spent + excluded.spent,
        granted = ledger_sums.granted + excluded.granted;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_summed AFTER INSERT ON ledger FOR EACH ROW
    EXECUTE FUNCTION ledger_summed();

CREATE FUNCTION jobs_reserved() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day, 'reserved', NEW.id, NEW.queue_server, NEW.payer,
        NEW.reserved_micros);
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_reserved AFTER INSERT ON jobs FOR EACH ROW WHEN (NEW.reserved_micros <> 0)
    EXECUTE FUNCTION jobs_reserved();

CREATE FUNCTION jobs_charged() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ledger (at, day, kind, job_id, server, payer, amount)
    VALUES (NEW.updated_at, NEW.ledger_day,
        CASE WHEN NEW.settled_micros IS NULL THEN 'reserved' ELSE 'settled' END,
        NEW.id, NEW.queue_server, NEW.payer,
        coalesce(NEW.settled_micros, NEW.reserved_micros)
            - coalesce(OLD.settled_micros, OLD.reserved_micros));
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_charged AFTER UPDATE OF reserved_micros, settled_micros ON jobs FOR EACH ROW
    WHEN (NEW.reserved_micros <> OLD.reserved_micros
        OR (NEW.settled_micros IS DISTINCT FROM OLD.settled_micros
            AND (NEW.settled_micros <> 0 OR NEW.reserved_micros <> 0)))
    EXECUTE FUNCTION jobs_charged();

-- When the clock was set, the times of open jobs are shifted in the same transaction.
CREATE FUNCTION clock_set() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    UPDATE jobs SET
        next_at = next_at + NEW.shift,
        created_at = created_at + CASE WHEN created_at >= OLD.since THEN NEW.shift ELSE 0 END,
        submitted_at = submitted_at + CASE WHEN submitted_at >= OLD.since THEN NEW.shift ELSE 0 END,
        token_until = token_until + CASE WHEN created_at >= OLD.since THEN NEW.shift ELSE 0 END,
        held_since = held_since + CASE WHEN held_since >= OLD.since THEN NEW.shift ELSE 0 END,
        generating_at = generating_at + CASE WHEN generating_at >= OLD.since THEN NEW.shift ELSE 0 END,
        -- A deadline that began on another clock is never brought forward.
        deadline_at = deadline_at
            + CASE WHEN generating_at >= OLD.since THEN NEW.shift ELSE greatest(NEW.shift, 0) END
    WHERE next_at IS NOT NULL OR state NOT IN ('succeeded', 'failed', 'cancelled');
    UPDATE hold_notices SET since = since + NEW.shift;
    UPDATE circuits SET opened_at = opened_at + NEW.shift, probe_at = probe_at + NEW.shift;
    UPDATE inbox SET received_at = received_at + NEW.shift WHERE received_at >= OLD.since;
    -- A list is trusted for a day.
    UPDATE listings SET shown_at = shown_at + NEW.shift, counted_at = counted_at + NEW.shift;
    -- Ended jobs keep their times, unless these are now in the future or a daily cap may count them.
    UPDATE jobs SET created_at = created_at + NEW.shift
    WHERE next_at IS NULL AND state IN ('succeeded', 'failed', 'cancelled') AND (
        (NEW.shift < 0 AND created_at > NEW.seen_at) OR (NEW.shift > 0
            AND created_at > greatest(NEW.seen_at - NEW.shift - 86400, OLD.since)));
    UPDATE speeches SET at = at + NEW.shift
    WHERE (NEW.shift < 0 AND at > NEW.seen_at) OR (NEW.shift > 0
        AND at > greatest(NEW.seen_at - NEW.shift - 86400, OLD.since));
    -- Unless the clock is now ahead of all other evidence, it was behind. Rows do not get older by that.
    UPDATE jobs SET updated_at = updated_at + NEW.shift
    WHERE next_at IS NULL AND state IN ('succeeded', 'failed', 'cancelled') AND (
        (NEW.shift < 0 AND updated_at > NEW.seen_at) OR (NEW.shift > 0
            AND NEW.seen_at <= NEW.known_at + 86400
            AND updated_at > greatest(NEW.seen_at - NEW.shift - 86400, OLD.since)));
    UPDATE jobs SET deleted_at = deleted_at + NEW.shift WHERE NEW.shift < 0 AND deleted_at > NEW.seen_at;
    UPDATE artifacts SET created_at = created_at + NEW.shift
    WHERE (NEW.shift < 0 AND created_at > NEW.seen_at) OR (NEW.shift > 0
        AND NEW.seen_at <= NEW.known_at + 86400
        AND created_at > greatest(NEW.seen_at - NEW.shift - 86400, OLD.since));
    UPDATE artifacts SET delivered_at = delivered_at + NEW.shift
    WHERE (NEW.shift < 0 AND delivered_at > NEW.seen_at) OR (NEW.shift > 0
        AND NEW.seen_at <= NEW.known_at + 86400
        AND delivered_at > greatest(NEW.seen_at - NEW.shift - 86400, OLD.since));
    RETURN NULL;
END $$;
CREATE TRIGGER clock_set AFTER UPDATE OF sets ON clock FOR EACH ROW WHEN (NEW.sets <> OLD.sets)
    EXECUTE FUNCTION clock_set();

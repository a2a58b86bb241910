"""The SQL statements that read and change the table of jobs."""

from __future__ import annotations

from storage.jobs.caps import USAGE, WITHIN_CAPS
from storage.ledger.budgets import WITHIN_BUDGETS

INSERT = f"""
INSERT INTO jobs (
    id, state, next_at, created_at, updated_at, backend, prompt, prompt_folded, model, seconds,
    size, fingerprint, interaction_id, application_id, user_id, guild_id, home_id, channel_id,
    locale, token, token_until, upload_limit, by_bot, by_bot_unproven, message_id, client,
    client_key, client_digest, card_language, is_spoiler, notify_default,
    attachment_name, attachment_size, attachment_url, attachment_text,
    narration_of, clip_of, voice_use, voice_service, clip_has_voice, price_micros,
    reserved_micros, voice_reserved_micros, writer_reserved_micros, payer, ledger_day)
SELECT
    :id, 'received', :next_at, :now, :now,
    -- The backend that made the picture, which need not be the current one.
    coalesce((SELECT backend FROM jobs WHERE id = :clip_of), :backend),
    :prompt, :prompt_folded, :model, :seconds, :size, :fingerprint,
    :interaction_id, :application_id, :user_id, :guild_id, :home_id, :channel_id, :locale, :token,
    :token_until, :upload_limit, :by_bot, :by_bot_unproven, :message_id,
    :client, :client_key, :client_digest, :card_language, :is_spoiler, :notify_default,
    :attachment_name, :attachment_size, :attachment_url, :attachment_text, :narration_of,
    :clip_of, :voice_use, :voice_service,
    -- Stored now, because the other job may be deleted later.
    CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE id = :clip_of AND attachment_name IS NOT NULL
        AND coalesce(note, '') <> 'note.not_merged') THEN 1 ELSE 0 END,
    :price, :price, :voice_price, :writer_price, :payer, :ledger_day
FROM ({USAGE}) AS counted
WHERE {WITHIN_CAPS} AND {WITHIN_BUDGETS}
ON CONFLICT DO NOTHING
RETURNING *
"""  # noqa: S608 - built from constants

BY_REQUESTER = """
SELECT * FROM jobs
WHERE interaction_id = :interaction_id OR (client = :client AND client_key = :client_key)
"""

# Some providers use an id twice. While a job has a remote id, no other job can get the same one.
_IS_FREE = """
    NOT EXISTS (
        SELECT 1 FROM jobs AS other
        WHERE other.backend = jobs.backend AND other.remote_id = :remote_id
            AND other.remote_passed_at IS NULL AND other.id <> jobs.id)
"""

# The cost of the latest create request is 0 if the request was clearly refused, or if the job ended
# before the request was sent. Otherwise, the cost is the one that the provider reports. If the
# provider reports none, the cost is the price, because nothing proves that the request was free.
_SETTLED = """CASE
        WHEN ledger_day IS NULL OR settled_micros IS NOT NULL THEN settled_micros
        WHEN :to IN ('failed', 'cancelled')
            AND (submitted_at IS NULL OR :was = 'queued'
                OR (:was = 'submitting' AND :to = 'failed'))
        THEN reserved_micros - price_micros
        WHEN :to IN ('downloading', 'failed', 'cancelled')
        THEN reserved_micros - price_micros + coalesce(:cost_micros, price_micros)
    END"""

# A voice or a prompt writer that has not been asked when the job ends is never asked.
_VOICE_SETTLED = """CASE
        WHEN voice_reserved_micros <> 0 AND :voice_is_free = 1 THEN 0
        WHEN voice_reserved_micros <> 0 AND :to IN ('failed', 'cancelled')
        THEN coalesce(voice_settled_micros, 0)
        ELSE voice_settled_micros
    END"""
_WRITER_SETTLED = """CASE
        WHEN writer_reserved_micros <> 0 AND :to IN ('failed', 'cancelled')
        THEN coalesce(writer_settled_micros, 0)
        ELSE writer_settled_micros
    END"""

MOVE = f"""
UPDATE jobs SET
    state = :to, next_at = :next_at, attempts = 0, misses = 0, updated_at = :now,
    hold = NULL, held_since = NULL, claimed_by = NULL,
    token = CASE WHEN :to = 'succeeded'
        AND NOT EXISTS (SELECT 1 FROM due_copies WHERE due_copies.job_id = jobs.id) THEN NULL
        ELSE token END,
    -- These transitions follow only a definite refusal, so nothing was spent.
    submitted_at = CASE WHEN :was = 'submitting' AND :to IN ('queued', 'failed') THEN NULL
        ELSE submitted_at END,
    attachment_url = CASE WHEN :was = 'received' THEN NULL ELSE attachment_url END,
    remote_id = coalesce(:remote_id, remote_id),
    remote_made_at = coalesce(:remote_made_at, remote_made_at),
    echoes_order = CASE WHEN :echoes_order = 0 THEN 0 ELSE echoes_order END,
    generating_at = coalesce(:generating_at, generating_at),
    generated_seconds = CASE WHEN :was = 'generating' AND :to = 'downloading'
        THEN :now - generating_at ELSE generated_seconds END,
    deadline_at = coalesce(:deadline_at, deadline_at),
    progress = coalesce(:progress, progress),
    seconds = coalesce(:seconds, seconds), fingerprint = coalesce(:fingerprint, fingerprint),
    -- The longest clip was reserved. The rest is given back, but never more is taken.
    price_micros = CASE WHEN CAST(:price AS BIGINT) < price_micros THEN :price
        ELSE price_micros END,
    reserved_micros = CASE WHEN CAST(:price AS BIGINT) < reserved_micros THEN :price
        ELSE reserved_micros END,
    cost_usd = coalesce(:cost_usd, cost_usd),
    told_micros = coalesce(:cost_micros, told_micros),
    settled_micros = {_SETTLED},
    voice_settled_micros = {_VOICE_SETTLED},
    writer_settled_micros = {_WRITER_SETTLED},
    failure_key = :failure_key, failure_fields = :failure_fields,
    note = coalesce(:note, note), voice_use = coalesce(:voice_use, voice_use),
    card_gone = CASE WHEN :card_gone = 1 THEN 1 ELSE card_gone END
WHERE id = :id AND epoch = :epoch AND state = :was
    AND (CAST(:remote_id AS TEXT) IS NULL OR {_IS_FREE})
RETURNING *
"""  # noqa: S608 - built from constants

# The second create request may cost as much as the first, so its price is reserved as well.
RETRY = f"""
UPDATE jobs SET
    state = 'queued', next_at = :now, attempts = 0, misses = 0, updated_at = :now,
    hold = NULL, held_since = NULL, claimed_by = NULL, failure_key = NULL, failure_fields = NULL,
    reserved_micros = reserved_micros + :price, price_micros = :price,
    ledger_day = coalesce(:ledger_day, ledger_day),
    payer = CASE WHEN :price = 0 THEN payer ELSE :payer END
WHERE id = :id AND epoch = :epoch AND state = 'undecided' AND {WITHIN_BUDGETS}
RETURNING *
"""  # noqa: S608 - built from constants

# A writer that was not asked before the prompt is final is never asked.
_WRITER_CLOSED = """CASE WHEN writer_reserved_micros <> 0
        THEN coalesce(writer_settled_micros, 0) END"""

# The prompt is stored only once for each backend, so that a step that is repeated sends the same
# prompt.
WRITE_PROMPT = f"""
UPDATE jobs SET
    sent_prompt = :sent_prompt, fingerprint = :fingerprint, backend = :backend, updated_at = :now,
    writer_settled_micros = {_WRITER_CLOSED}
WHERE id = :id AND epoch = :epoch AND state = 'queued'
    AND (sent_prompt IS NULL OR backend <> :backend)
RETURNING *
"""  # noqa: S608 - built from constants

# The new state is committed before the POST that may cost money, and only if no identical create
# request is unconfirmed. All POSTs of a job have the same idempotency key, `create_key`, unless
# they are sent with different sounds. The worker keeps its claim, because its step is still
# running.
BEGIN_SUBMIT = f"""
UPDATE jobs SET
    state = 'submitting', backend = :backend, next_at = :now, attempts = 0, misses = 0,
    updated_at = :now, hold = NULL, held_since = NULL,
    create_key = CASE WHEN voice_digest = :voice_digest THEN coalesce(create_key, :create_key)
        ELSE :create_key END,
    voice_use = :voice_use, voice_digest = :voice_digest, fingerprint = :fingerprint,
    sent_prompt = coalesce(CAST(:sent_prompt AS TEXT), sent_prompt),
    writer_settled_micros = {_WRITER_CLOSED},
    submitted_at = :now, submits = submits + 1, account = :account
WHERE id = :id AND epoch = :epoch AND state = 'queued' AND NOT EXISTS (
    SELECT 1 FROM jobs AS other
    WHERE other.backend = :backend AND other.state IN ('submitting', 'unconfirmed')
        AND (other.fingerprint = :fingerprint
            -- No list shows which sound was sent, and some lists show no lengths.
            OR ((:shows_length = 0 OR other.seconds = jobs.seconds) AND other.size = jobs.size
                AND coalesce(other.model, '') = coalesce(jobs.model, '')
                AND coalesce(other.sent_prompt, other.prompt)
                    = coalesce(CAST(:sent_prompt AS TEXT), jobs.sent_prompt, jobs.prompt))))
RETURNING *
"""  # noqa: S608 - built from constants

POSTPONE = """
UPDATE jobs SET
    next_at = :next_at, attempts = :attempts,
    progress = CASE WHEN CAST(:progress AS INTEGER) > coalesce(progress, -1) THEN :progress
        ELSE progress END,
    late = :late, misses = :misses, updated_at = :now, hold = NULL, held_since = NULL,
    claimed_by = NULL
WHERE id = :id AND epoch = :epoch AND state = :was
RETURNING *
"""

RELEASE = """
UPDATE jobs SET
    next_at = NULL, updated_at = :now, claimed_by = NULL,
    token = CASE WHEN state IN ('failed', 'cancelled') THEN NULL ELSE token END
WHERE id = :id AND epoch = :epoch AND state = :was
RETURNING *
"""

# The higher epoch invalidates a running step that looked for the card's message too early to find
# it.
ACKNOWLEDGE = """
UPDATE jobs SET
    epoch = epoch + 1, claimed_by = NULL, message_id = :message_id, next_at = :now,
    updated_at = :now
WHERE id = :id AND state IN ('received', 'failed', 'cancelled') AND message_id IS NULL
    AND deleted_at IS NULL
RETURNING *
"""

# For a job that was cancelled before the POST was answered. If the job's last step is running, the
# higher epoch prevents it from clearing `next_at`. A deleted job needs no further step, because its
# remote job is deleted separately.
BIND_CANCELLED = f"""
UPDATE jobs SET
    epoch = epoch + 1, claimed_by = NULL, remote_id = :remote_id, attempts = 0, updated_at = :now,
    remote_made_at = :remote_made_at, echoes_order = :echoes_order,
    next_at = CASE WHEN deleted_at IS NULL THEN CAST(:now AS DOUBLE PRECISION) END
WHERE id = :id AND state = 'cancelled' AND remote_id IS NULL AND {_IS_FREE}
RETURNING *
"""  # noqa: S608 - built from constants

INTEND_DM = """
UPDATE jobs SET dm_intent_at = :now
WHERE id = :id AND epoch = :epoch AND state = 'notifying' RETURNING *
"""

# The higher epoch invalidates a poll that is already running. That poll may have read the job
# before the job changed, and must not postpone the next poll.
WAKE_REMOTE = """
UPDATE jobs SET epoch = epoch + 1, claimed_by = NULL, next_at = :now, updated_at = :now
WHERE backend = :backend AND remote_id = :remote_id AND remote_passed_at IS NULL
    AND state = 'generating'
RETURNING *
"""

WAKE_UNDECIDED = """
UPDATE jobs SET next_at = :now WHERE backend = :backend AND state = 'undecided' RETURNING id
"""

# Some deliveries wait until the operator sets PUBLIC_URL. Since the operator may have set it for
# this restart, these deliveries are tried again.
WAKE_HELD = """
UPDATE jobs SET next_at = :now
WHERE state IN ('delivering', 'notifying') AND next_at > :now
RETURNING id
"""

QUEUED = """
SELECT id FROM jobs WHERE (state = 'queued' AND next_at IS NOT NULL) OR hold IS NOT NULL
"""

DELETE_EXPIRED_TOKENS = """
UPDATE jobs SET token = NULL WHERE token IS NOT NULL AND token_until < :now
"""

NOT_EDITABLE_BY_BOT = """
SELECT id FROM jobs WHERE token IS NOT NULL AND message_id IS NOT NULL
    AND (by_bot = 0 OR by_bot_unproven = 1)
"""

MARK_CARD_GONE = """
UPDATE jobs SET card_gone = 1 WHERE id = :id RETURNING *
"""

PROVE_BOT_ACCESS = """
UPDATE jobs SET by_bot = :by_bot, by_bot_unproven = 0 WHERE id = :id AND by_bot_unproven = 1
RETURNING *
"""

COUNTS = """
SELECT state, backend, count(*) AS jobs FROM jobs
WHERE deleted_at IS NULL GROUP BY state, backend
"""

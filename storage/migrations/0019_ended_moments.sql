-- What has ended lately moves with the clock too: a daily cap still counts it, and retention does not take a
-- video for an old one because the clock was behind when it was made.
DROP TRIGGER clock_set;

CREATE TRIGGER clock_set AFTER UPDATE OF sets ON clock WHEN NEW.sets <> OLD.sets BEGIN
    UPDATE jobs SET
        next_at = next_at + NEW.shift,
        created_at = created_at + NEW.shift * (created_at >= OLD.since),
        submitted_at = submitted_at + NEW.shift * (submitted_at >= OLD.since),
        token_until = token_until + NEW.shift * (created_at >= OLD.since),
        held_since = held_since + NEW.shift * (held_since >= OLD.since),
        generating_at = generating_at + NEW.shift * (generating_at >= OLD.since),
        -- Never earlier by a moment of another clock.
        deadline_at = deadline_at
            + CASE WHEN generating_at >= OLD.since THEN NEW.shift ELSE max(NEW.shift, 0) END
    WHERE next_at IS NOT NULL OR state NOT IN ('succeeded', 'failed', 'cancelled');
    UPDATE hold_notices SET since = since + NEW.shift;
    UPDATE circuits SET opened_at = opened_at + NEW.shift, probe_at = probe_at + NEW.shift;
    UPDATE inbox SET received_at = received_at + NEW.shift WHERE received_at >= OLD.since;
    -- A list is believed for a day.
    UPDATE listings SET shown_at = shown_at + NEW.shift, counted_at = counted_at + NEW.shift;
    -- What has ended keeps its moments, unless they are now in the future. What a daily cap may count moves.
    UPDATE jobs SET created_at = created_at + NEW.shift
    WHERE next_at IS NULL AND state IN ('succeeded', 'failed', 'cancelled') AND (
        (NEW.shift < 0 AND created_at > NEW.seen_at) OR (NEW.shift > 0
            AND created_at > max(NEW.seen_at - NEW.shift - 86400, OLD.since)));
    UPDATE speeches SET at = at + NEW.shift
    WHERE (NEW.shift < 0 AND at > NEW.seen_at) OR (NEW.shift > 0
        AND at > max(NEW.seen_at - NEW.shift - 86400, OLD.since));
    -- Unless the clock is now ahead of all else, it was behind: what is a day old is not older for that.
    UPDATE jobs SET updated_at = updated_at + NEW.shift
    WHERE next_at IS NULL AND state IN ('succeeded', 'failed', 'cancelled') AND (
        (NEW.shift < 0 AND updated_at > NEW.seen_at) OR (NEW.shift > 0
            AND NEW.seen_at <= NEW.known_at + 86400
            AND updated_at > max(NEW.seen_at - NEW.shift - 86400, OLD.since)));
    UPDATE jobs SET deleted_at = deleted_at + NEW.shift WHERE NEW.shift < 0 AND deleted_at > NEW.seen_at;
    UPDATE artifacts SET created_at = created_at + NEW.shift
    WHERE (NEW.shift < 0 AND created_at > NEW.seen_at) OR (NEW.shift > 0
        AND NEW.seen_at <= NEW.known_at + 86400
        AND created_at > max(NEW.seen_at - NEW.shift - 86400, OLD.since));
    UPDATE artifacts SET delivered_at = delivered_at + NEW.shift
    WHERE (NEW.shift < 0 AND delivered_at > NEW.seen_at) OR (NEW.shift > 0
        AND NEW.seen_at <= NEW.known_at + 86400
        AND delivered_at > max(NEW.seen_at - NEW.shift - 86400, OLD.since));
END;

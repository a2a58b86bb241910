-- `voice_use`: the use of the narration as a reference; NULL: none. `voice_service`: the service that may hear it.
-- `voice_digest`: the SHA-256 digest of the sound that went along with the latest create request.
ALTER TABLE jobs ADD COLUMN voice_use TEXT;
ALTER TABLE jobs ADD COLUMN voice_service TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN voice_digest TEXT NOT NULL DEFAULT '';

-- Whether a person agrees that a video service hears their voice. `agrees`: 1 or 0. No row: not asked yet.
CREATE TABLE voice_consents (
    user_id     BIGINT NOT NULL,
    service     TEXT NOT NULL,
    agrees      BIGINT NOT NULL,
    answered_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (user_id, service)
);

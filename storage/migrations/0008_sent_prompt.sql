-- What the provider was, or will be, sent in place of the prompt: it is written once, before the first
-- POST, and `fingerprint` is that of what is sent. NULL: not written yet.
ALTER TABLE jobs ADD COLUMN sent_prompt TEXT;
UPDATE jobs SET sent_prompt = prompt WHERE submits > 0;

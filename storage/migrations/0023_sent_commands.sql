-- A digest of the commands that Discord last accepted, for the fields that it may not give back.
CREATE TABLE sent_commands (
    application_id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL
) STRICT;

-- Who may order, as set in Discord. `scope`: the ID of a server; 0: everywhere, which is the operator's. `target`: the
-- ID of the channel, role, person or server that a setting is about; 0: none. A value of NULL removes a setting.
CREATE TABLE access_settings (
    scope      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    target     INTEGER NOT NULL,
    value      TEXT,
    actor      INTEGER,
    changed_at REAL NOT NULL,
    PRIMARY KEY (scope, name, target)
) STRICT, WITHOUT ROWID;

-- Each change, and each event such as the removal of a person's videos. `actor`: the ID of the person; NULL: the
-- command line.
CREATE TABLE access_audit (
    id     INTEGER PRIMARY KEY,
    at     REAL NOT NULL,
    scope  INTEGER NOT NULL,
    name   TEXT NOT NULL,
    target INTEGER NOT NULL,
    value  TEXT,
    actor  INTEGER
) STRICT;
CREATE INDEX access_audit_by_scope ON access_audit (scope, id);

CREATE TRIGGER access_set AFTER INSERT ON access_settings BEGIN
    INSERT INTO access_audit (at, scope, name, target, value, actor)
    VALUES (NEW.changed_at, NEW.scope, NEW.name, NEW.target, NEW.value, NEW.actor);
END;

CREATE TRIGGER access_changed AFTER UPDATE ON access_settings BEGIN
    INSERT INTO access_audit (at, scope, name, target, value, actor)
    VALUES (NEW.changed_at, NEW.scope, NEW.name, NEW.target, NEW.value, NEW.actor);
    DELETE FROM access_settings
    WHERE scope = NEW.scope AND name = NEW.name AND target = NEW.target AND value IS NULL;
END;

-- The newest thousand entries of each scope are kept.
CREATE TRIGGER access_audited AFTER INSERT ON access_audit BEGIN
    DELETE FROM access_audit WHERE scope = NEW.scope AND id <= (
        SELECT id FROM access_audit WHERE scope = NEW.scope ORDER BY id DESC LIMIT 1 OFFSET 1000);
END;

-- The event log: one append-only table, dense positions in commit order. See the PostgreSQL twin for the reasons.
CREATE TABLE events (
  position       INTEGER PRIMARY KEY,
  aggregate_type TEXT NOT NULL,
  aggregate_id   TEXT NOT NULL,
  sequence       INTEGER NOT NULL CHECK (sequence >= 1),
  event_type     TEXT NOT NULL,
  event_version  TEXT NOT NULL,
  payload        TEXT NOT NULL CHECK (json_valid(payload)),
  metadata       TEXT NOT NULL CHECK (json_valid(metadata)),
  event_id       BLOB NOT NULL UNIQUE,
  command_id     BLOB NOT NULL,
  command_ord    INTEGER NOT NULL,
  salt           BLOB NOT NULL,
  recorded_at    INTEGER NOT NULL, -- microseconds since 1970, UTC
  UNIQUE (aggregate_type, aggregate_id, sequence),
  UNIQUE (command_id, command_ord)
) STRICT;

CREATE TABLE bulk (
  position INTEGER NOT NULL,
  ord      INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  subject  TEXT NOT NULL,
  body     BLOB NOT NULL,
  PRIMARY KEY (position, ord)
) STRICT;
CREATE INDEX bulk_by_subject ON bulk (kind, subject, position, ord);

CREATE TABLE requests (
  principal   TEXT NOT NULL,
  key         TEXT NOT NULL,
  body_sha256 BLOB NOT NULL,
  command_id  BLOB NOT NULL,
  position    INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  PRIMARY KEY (principal, key)
) STRICT;
CREATE INDEX requests_by_expiry ON requests (expires_at);

CREATE TABLE work (
  id               BLOB PRIMARY KEY,
  kind             TEXT NOT NULL,
  lane             TEXT NOT NULL,
  priority         INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 9),
  payload          TEXT NOT NULL CHECK (json_valid(payload)),
  run_at           INTEGER NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'done', 'failed', 'skipped')),
  attempt          INTEGER NOT NULL,
  tries            INTEGER NOT NULL DEFAULT 0,
  lost             INTEGER NOT NULL DEFAULT 0,
  lease_until      INTEGER CHECK (lease_until IS NULL OR state = 'ready'),
  last_error       TEXT,
  created_position INTEGER NOT NULL,
  n                INTEGER NOT NULL,
  finished_at      INTEGER,
  CHECK ((state IN ('done', 'failed', 'skipped')) = (finished_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX work_one_head_per_lane ON work (lane) WHERE state = 'ready';
CREATE INDEX work_in_order ON work (lane, created_position, n, id, kind, run_at) WHERE state = 'waiting';
CREATE INDEX work_heads ON work (kind, priority, run_at, created_position, n) WHERE state = 'ready';
CREATE INDEX work_open_or_failed ON work (created_position, n, id) WHERE state IN ('waiting', 'ready', 'failed');
CREATE INDEX work_failed ON work (created_position, n, id, kind, run_at) WHERE state = 'failed';
CREATE INDEX work_finished ON work (finished_at, id) WHERE state IN ('done', 'skipped');

CREATE TABLE registers (
  kind       TEXT NOT NULL,
  key        TEXT NOT NULL,
  value      TEXT NOT NULL CHECK (json_valid(value)),
  revision   INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (kind, key)
) STRICT;
CREATE INDEX registers_by_expiry ON registers (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE log_epochs (
  ord            INTEGER PRIMARY KEY,
  epoch          TEXT NOT NULL UNIQUE,
  after_position INTEGER NOT NULL,
  timeline       INTEGER NOT NULL,
  reason         TEXT NOT NULL,
  begun_at       INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;

CREATE TRIGGER events_stay_as_written BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'UPDATE on events is refused: what is recorded stays'); END;
CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'DELETE on events is refused: what is recorded stays'); END;
CREATE TRIGGER bulk_stays_as_written BEFORE UPDATE ON bulk BEGIN SELECT RAISE(ABORT, 'UPDATE on bulk is refused: what is recorded stays'); END;
CREATE TRIGGER bulk_stays BEFORE DELETE ON bulk BEGIN SELECT RAISE(ABORT, 'DELETE on bulk is refused: what is recorded stays'); END;
CREATE TRIGGER epochs_stay_as_written BEFORE UPDATE ON log_epochs BEGIN SELECT RAISE(ABORT, 'UPDATE on log_epochs is refused: what is recorded stays'); END;
CREATE TRIGGER epochs_stay BEFORE DELETE ON log_epochs BEGIN SELECT RAISE(ABORT, 'DELETE on log_epochs is refused: what is recorded stays'); END;

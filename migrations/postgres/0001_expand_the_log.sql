-- The event log: one append-only table, dense positions in commit order.
-- payload and metadata are json, not jsonb: the stored bytes are what is hashed.
CREATE TABLE events (
  position       bigint PRIMARY KEY,
  aggregate_type text COLLATE "C" NOT NULL,
  aggregate_id   text COLLATE "C" NOT NULL,
  sequence       bigint NOT NULL CHECK (sequence >= 1),
  event_type     text NOT NULL,
  event_version  text NOT NULL,
  payload        json NOT NULL,
  metadata       json NOT NULL,
  event_id       uuid NOT NULL UNIQUE,
  command_id     uuid NOT NULL,
  command_ord    int  NOT NULL,
  salt           bytea NOT NULL,
  recorded_at    timestamptz NOT NULL,
  UNIQUE (aggregate_type, aggregate_id, sequence),
  UNIQUE (command_id, command_ord)
);

-- Bulk: rows too many and too large for events. The event at `position` holds their count and digest.
CREATE TABLE bulk (
  position bigint NOT NULL,
  ord      int    NOT NULL,
  kind     text COLLATE "C" NOT NULL,
  subject  text COLLATE "C" NOT NULL,
  body     bytea  NOT NULL,
  PRIMARY KEY (position, ord)
);
CREATE INDEX bulk_by_subject ON bulk (kind, subject, position, ord);

-- What was asked under which idempotency key, written with the events that answered it.
CREATE TABLE requests (
  principal   text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL,
  body_sha256 bytea NOT NULL,
  command_id  uuid NOT NULL,
  position    bigint NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE INDEX requests_by_expiry ON requests (expires_at);

-- The queue of effects. Inserting twice inserts once: id is derived from the event that asks for it. Each lane with
-- open work has one head, which is 'ready'; the others of the lane are 'waiting' behind it. A head is claimed while it has
-- a lease, over or not. No index knows of leases, and pages keep room for a second version of their rows: so a claim
-- touches no index.
CREATE TABLE work (
  id               uuid PRIMARY KEY,
  kind             text COLLATE "C" NOT NULL,
  lane             text COLLATE "C" NOT NULL,
  priority         smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
  payload          json NOT NULL,
  run_at           timestamptz NOT NULL, -- due from then on
  state            text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'ready', 'done', 'failed', 'skipped')),
  attempt          int NOT NULL, -- claims, each of which fences those before it
  tries            int NOT NULL DEFAULT 0, -- claims that ended in a retry or a failure
  lost             int NOT NULL DEFAULT 0, -- claims in a row, before the present one, that came to no end
  lease_until      timestamptz CHECK (lease_until IS NULL OR state = 'ready'),
  last_error       text,
  created_position bigint NOT NULL,
  n                int NOT NULL,
  finished_at      timestamptz,
  CHECK ((state IN ('done', 'failed', 'skipped')) = (finished_at IS NOT NULL))
) WITH (fillfactor = 50, -- of each piece of work two rows die
        autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000);
CREATE UNIQUE INDEX work_one_head_per_lane ON work (lane) WHERE state = 'ready';
CREATE INDEX work_in_order ON work (lane, created_position, n, id) INCLUDE (kind, run_at) WHERE state = 'waiting';
CREATE INDEX work_heads ON work (kind, priority, run_at, created_position, n) WHERE state = 'ready';
CREATE INDEX work_open_or_failed ON work (created_position, n, id) WHERE state IN ('waiting', 'ready', 'failed');
CREATE INDEX work_failed ON work (created_position, n, id) INCLUDE (kind, run_at) WHERE state = 'failed';
CREATE INDEX work_finished ON work (finished_at, id) WHERE state IN ('done', 'skipped');

-- Registers: small mutable facts that are no evidence (token hashes, sessions, last-used times).
CREATE TABLE registers (
  kind       text COLLATE "C" NOT NULL,
  key        text COLLATE "C" NOT NULL,
  value      json NOT NULL,
  revision   bigint NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (kind, key)
);
CREATE INDEX registers_by_expiry ON registers (expires_at) WHERE expires_at IS NOT NULL;

-- Which history this is. A restore, or a failover that may have lost a suffix, begins a new epoch.
CREATE TABLE log_epochs (
  ord            int PRIMARY KEY,
  epoch          text COLLATE "C" NOT NULL UNIQUE,
  after_position bigint NOT NULL,
  timeline       int NOT NULL,
  reason         text NOT NULL,
  begun_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: what is recorded stays', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bulk_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON bulk FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER epochs_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON log_epochs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- ALWAYS: also under session_replication_role = replica.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_stay;
ALTER TABLE bulk ENABLE ALWAYS TRIGGER bulk_stays;
ALTER TABLE log_epochs ENABLE ALWAYS TRIGGER epochs_stay;

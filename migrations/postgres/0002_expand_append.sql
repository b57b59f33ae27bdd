-- The two ways into the log. Both take a batch of commands in one autocommit call.
--
-- Each statement of a plpgsql function sees a fresh snapshot under READ COMMITTED, so what is read after the lock is
-- what the previous holder committed. A client that stalls cannot hold the lock: the call ends without it.
--
-- Called with plan_cache_mode = force_generic_plan and enable_seqscan = off, as every connection of ours is set up:
-- setting them here for each call would cost more than a statement.

-- All or nothing of the batch, for commands that have nothing but events; the fast way. It inserts at once and lets the
-- keys judge: an expectation behind the head violates the stream's key, a command that is there already its own. An
-- expectation beyond the head finds no predecessor, where `e_follows` says to look for one. What the caller knows to be
-- in the log, and so did not mark, he knows of `known_timeline` (null: he knows nothing).
--
-- Returned: where the first event stands; null when nothing was done, because a key was violated, a predecessor is
-- missing, or the server's `timeline` is another than the known one. Then `append_judged` finds out whose fault it was.
CREATE FUNCTION append_at_once(
  known_timeline text, e_type text[], e_id text[], e_sequence bigint[], e_follows boolean[], e_event_type text[],
  e_version text[], e_payload text[], e_metadata text[], e_event_id uuid[], e_command_id uuid[], e_ord int[],
  e_salt bytea[], OUT first_position bigint, OUT timeline text)
LANGUAGE plpgsql
AS $$
DECLARE
  head    bigint;
  at      timestamptz;
  written int;
  locked  boolean;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append_at_once needs READ COMMITTED, not %', current_setting('transaction_isolation');
  END IF;
  locked := pg_advisory_xact_lock(5044039871231) IS NOT NULL;
  timeline := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
  IF known_timeline <> timeline THEN
    RETURN;
  END IF;
  SELECT e.position, e.recorded_at INTO head, at FROM events e ORDER BY e.position DESC LIMIT 1;
  head := coalesce(head, 0);
  at := greatest(clock_timestamp(), at);
  -- The probes are scalar subqueries, which no planner turns into a join over the log.
  IF cardinality(e_type) = 1 THEN -- a lone caller does not pay for sets
    INSERT INTO events
    SELECT head + 1, e_type[1], e_id[1], e_sequence[1], e_event_type[1], e_version[1], e_payload[1]::json,
           e_metadata[1]::json, e_event_id[1], e_command_id[1], e_ord[1], e_salt[1], at
     WHERE NOT e_follows[1]
        OR (SELECT 1 FROM events p WHERE p.aggregate_type = e_type[1] AND p.aggregate_id = e_id[1]
               AND p.sequence = e_sequence[1] - 1) IS NOT NULL;
  ELSIF true = ANY (e_follows) THEN
    INSERT INTO events
    SELECT head + e.n, e.type, e.id, e.sequence, e.event_type, e.version, e.payload::json, e.metadata::json,
           e.event_id, e.command_id, e.ord, e.salt, at
      FROM unnest(e_type, e_id, e_sequence, e_follows, e_event_type, e_version, e_payload, e_metadata, e_event_id,
                  e_command_id, e_ord, e_salt)
           WITH ORDINALITY AS e(type, id, sequence, follows, event_type, version, payload, metadata, event_id,
                                command_id, ord, salt, n)
     WHERE NOT e.follows
        OR (SELECT 1 FROM events p WHERE p.aggregate_type = e.type AND p.aggregate_id = e.id
               AND p.sequence = e.sequence - 1) IS NOT NULL;
  ELSE -- the usual case does not even open the index for probes that nobody needs
    INSERT INTO events
    SELECT head + e.n, e.type, e.id, e.sequence, e.event_type, e.version, e.payload::json, e.metadata::json,
           e.event_id, e.command_id, e.ord, e.salt, at
      FROM unnest(e_type, e_id, e_sequence, e_event_type, e_version, e_payload, e_metadata, e_event_id, e_command_id,
                  e_ord, e_salt)
           WITH ORDINALITY AS e(type, id, sequence, event_type, version, payload, metadata, event_id, command_id, ord,
                                salt, n);
  END IF;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(e_type) THEN
    RAISE unique_violation;
  END IF;
  first_position := head + 1;
EXCEPTION WHEN unique_violation THEN
  first_position := NULL; -- and all of it is undone
END $$;

-- A verdict for each command, and everything that a command may bring.
--
-- The arrays, each group of one length:
--   c_*  commands: id; idempotency principal, key, body hash, lifetime (null: none); work id and attempt (null: none)
--   s_*  expectations: index of the command, stream, the sequence expected as head
--   e_*  events, in the order in which they are numbered, with the index of their command
--   b_*  bulk rows: index of the event, and the row
CREATE FUNCTION append_judged(
  c_id uuid[], c_principal text[], c_key text[], c_body bytea[], c_lifetime bigint[], c_work uuid[], c_attempt int[],
  s_command int[], s_type text[], s_id text[], s_expected bigint[],
  e_command int[], e_type text[], e_id text[], e_sequence bigint[], e_event_type text[], e_version text[],
  e_payload text[], e_metadata text[], e_event_id uuid[], e_ord int[], e_salt bytea[],
  b_event int[], b_ord int[], b_kind text[], b_subject text[], b_body bytea[])
RETURNS TABLE (verdict text, first_position bigint, last_position bigint, timeline text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
  head     bigint;
  at       timestamptz;
  server   text := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
  moved    bigint[];
  verdicts text[];
  lanes    text[]; -- of the work that is claimed; null when nothing is
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append_judged needs READ COMMITTED, not %', current_setting('transaction_isolation');
  END IF;
  IF array_remove(c_work, NULL) <> '{}' THEN
    -- Before the log's own lock: whoever is at work on these lanes, or on these rows, shall not hold up the log.
    lanes := ARRAY(SELECT w.lane FROM work w WHERE w.id = ANY (c_work));
    PERFORM lock_lanes(lanes);
    -- Nobody may claim the work between the verdict on a claim and its closing.
    PERFORM FROM work w WHERE w.id = ANY (c_work) ORDER BY w.id FOR UPDATE;
  END IF;
  PERFORM pg_advisory_xact_lock(5044039871231);
  SELECT e.position, e.recorded_at INTO head, at FROM events e ORDER BY e.position DESC LIMIT 1;
  head := coalesce(head, 0);
  at := greatest(clock_timestamp(), at);

  SELECT coalesce(array_agg(s.command), '{}') INTO moved
    FROM unnest(s_command, s_type, s_id, s_expected) AS s(command, type, id, expected)
   WHERE s.expected <> coalesce((SELECT e.sequence FROM events e WHERE e.aggregate_type = s.type
                                    AND e.aggregate_id = s.id ORDER BY e.sequence DESC LIMIT 1), 0);
  SELECT array_agg(CASE
      WHEN EXISTS (SELECT FROM events e WHERE e.command_id = c.id) THEN 'duplicate'
      WHEN c.key IS NOT NULL AND EXISTS (
        SELECT FROM requests r WHERE r.principal = c.principal AND r.key = c.key AND r.expires_at > at)
      THEN (SELECT CASE WHEN r.body_sha256 = c.body THEN 'duplicate' ELSE 'key_reused' END
              FROM requests r WHERE r.principal = c.principal AND r.key = c.key)
      WHEN c.work IS NOT NULL AND NOT EXISTS (
        SELECT FROM work w WHERE w.id = c.work AND w.attempt = c.attempt AND w.lease_until IS NOT NULL) THEN 'fenced'
      WHEN c.n = ANY (moved) THEN 'conflict'
      ELSE 'committed' END ORDER BY c.n)
    INTO verdicts
    FROM unnest(c_id, c_principal, c_key, c_body, c_work, c_attempt)
         WITH ORDINALITY AS c(id, principal, key, body, work, attempt, n);

  INSERT INTO events
  SELECT head + row_number() OVER (ORDER BY e.n), e.type, e.id, e.sequence, e.event_type, e.version, e.payload::json,
         e.metadata::json, e.event_id, c_id[e.command], e.ord, e.salt, at
    FROM unnest(e_command, e_type, e_id, e_sequence, e_event_type, e_version, e_payload, e_metadata, e_event_id,
                e_ord, e_salt)
         WITH ORDINALITY AS e(command, type, id, sequence, event_type, version, payload, metadata, event_id, ord,
                              salt, n)
   WHERE verdicts[e.command] = 'committed';
  IF lanes IS NOT NULL THEN
    UPDATE work w SET state = 'done', lease_until = NULL, finished_at = clock_timestamp()
     WHERE w.id = ANY (ARRAY(SELECT c.id FROM unnest(c_work, verdicts) AS c(id, verdict) WHERE c.verdict = 'committed'));
    PERFORM settle_lanes(lanes);
  END IF;
  INSERT INTO requests AS r
  SELECT c.principal, c.key, c.body, c.id, (SELECT max(e.position) FROM events e WHERE e.command_id = c.id),
         at + c.lifetime * interval '1 microsecond'
    FROM unnest(c_id, c_principal, c_key, c_body, c_lifetime, verdicts)
         AS c(id, principal, key, body, lifetime, verdict)
   WHERE c.verdict = 'committed' AND c.key IS NOT NULL
  ON CONFLICT (principal, key) DO UPDATE -- only an expired one can stand here
     SET body_sha256 = excluded.body_sha256, command_id = excluded.command_id, position = excluded.position,
         expires_at = excluded.expires_at;
  INSERT INTO bulk
  SELECT e.position, b.ord, b.kind, b.subject, b.body
    FROM unnest(b_event, b_ord, b_kind, b_subject, b_body) AS b(event, ord, kind, subject, body)
    JOIN events e ON e.event_id = e_event_id[b.event]
   WHERE verdicts[e_command[b.event]] = 'committed';

  RETURN QUERY
  SELECT c.verdict, p.first, p.last, server
    FROM unnest(c_id, c_principal, c_key, verdicts) WITH ORDINALITY AS c(id, principal, key, verdict, n)
    LEFT JOIN LATERAL (
      SELECT min(e.position) AS first, max(e.position) AS last FROM events e
       WHERE c.verdict IN ('committed', 'duplicate')
         AND e.command_id = CASE
               WHEN EXISTS (SELECT FROM events own WHERE own.command_id = c.id) THEN c.id
               ELSE (SELECT r.command_id FROM requests r WHERE r.principal = c.principal AND r.key = c.key) END
    ) p ON true
   ORDER BY c.n;
END $$;

-- The work queue: everything that adds, closes or promotes work is one autocommit call of a function, so that a client
-- that stalls holds no lock. Called under the settings that 0002 says.
--
-- Whoever changes a row holds the bucket of its lane; so promotion never races, an open lane is never left without a head,
-- and nobody needs to lock rows in an order. Only claiming, which changes no head, holds none, and skips what is locked.
--
-- Order of locks, against deadlocks: a reactor's row, buckets by number, rows of work, the log.

-- How far each reactor has turned the log into work.
CREATE TABLE reactors (
  name          text COLLATE "C" PRIMARY KEY,
  position      bigint NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Kinds of work that nobody may claim; '*' is all of them.
CREATE TABLE work_pauses (
  kind   text COLLATE "C" PRIMARY KEY,
  reason text NOT NULL,
  since  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION lock_lanes(lanes text[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  bucket int;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the queue needs READ COMMITTED, not %', current_setting('transaction_isolation');
  END IF;
  FOR bucket IN SELECT DISTINCT hashtext(l.lane) & 63 AS b FROM unnest(lanes) AS l(lane) ORDER BY b LOOP
    PERFORM pg_advisory_xact_lock(504403987, bucket);
  END LOOP;
END $$;

-- Gives each of these lanes the head that it should have; their buckets are held. How many rows became heads.
CREATE FUNCTION settle_lanes(lanes text[], OUT promoted int)
LANGUAGE plpgsql
AS $$
DECLARE
  at     timestamptz := clock_timestamp();
  behind text[] := ARRAY( -- usually nobody waits
    SELECT DISTINCT l.lane FROM unnest(lanes) AS l(lane)
     WHERE (SELECT 1 FROM work f WHERE f.lane = l.lane AND f.state = 'waiting' LIMIT 1) IS NOT NULL);
BEGIN
  promoted := 0;
  IF behind = '{}' THEN
    RETURN;
  END IF;
  -- A head that nobody has claimed gives way to what stands before it.
  UPDATE work h SET state = 'waiting'
   WHERE h.lane = ANY (behind) AND h.state = 'ready' AND h.lease_until IS NULL
     AND (h.created_position, h.n, h.id) > (
       SELECT f.created_position, f.n, f.id FROM work f WHERE f.lane = h.lane AND f.state = 'waiting'
        ORDER BY f.created_position, f.n, f.id LIMIT 1);
  -- Due at the earliest from now on: a lane that was held up for long has no precedence over the others.
  UPDATE work w SET state = 'ready', run_at = greatest(w.run_at, at)
   WHERE w.id = ANY (ARRAY(
     SELECT (SELECT f.id FROM work f WHERE f.lane = l.lane AND f.state = 'waiting'
              ORDER BY f.created_position, f.n, f.id LIMIT 1)
       FROM unnest(behind) AS l(lane)
      WHERE (SELECT 1 FROM work h WHERE h.lane = l.lane AND h.state = 'ready') IS NULL));
  GET DIAGNOSTICS promoted = ROW_COUNT;
END $$;

-- Rows of work, as columns; run_at in microseconds since 1970, null for at once. How many were not there yet.
CREATE FUNCTION add_work(
  w_id uuid[], w_kind text[], w_lane text[], w_priority smallint[], w_payload text[], w_run_at bigint[],
  w_position bigint[], w_n int[], OUT added int)
LANGUAGE plpgsql
AS $$
DECLARE
  at     timestamptz;
  behind text[];
BEGIN
  PERFORM lock_lanes(w_lane);
  at := clock_timestamp();
  -- The first of a lane that has no head is the head; should it be there already, the lane is settled below.
  WITH inserted AS (
    INSERT INTO work AS i (id, kind, lane, priority, payload, run_at, state, attempt, created_position, n)
    SELECT a.id, a.kind, a.lane, a.priority, a.payload::json,
           coalesce(timestamptz 'epoch' + a.run_at * interval '1 microsecond', at),
           CASE WHEN row_number() OVER (PARTITION BY a.lane ORDER BY a.position, a.n, a.id) = 1
                 AND (SELECT 1 FROM work h WHERE h.lane = a.lane AND h.state = 'ready') IS NULL
                THEN 'ready' ELSE 'waiting' END,
           0, a.position, a.n
      FROM unnest(w_id, w_kind, w_lane, w_priority, w_payload, w_run_at, w_position, w_n)
           AS a(id, kind, lane, priority, payload, run_at, position, n)
    ON CONFLICT (id) DO NOTHING
    RETURNING i.lane, i.state)
  SELECT count(*), array_agg(DISTINCT i.lane) FILTER (WHERE i.state = 'waiting') INTO added, behind FROM inserted i;
  IF behind IS NOT NULL THEN
    PERFORM settle_lanes(behind);
  END IF;
END $$;

-- Compare-and-set first: 'false', and nothing done, when the reactor does not stand at `from_position`, or would go beyond
-- the log: after a failover it may have seen what never happened here.
CREATE FUNCTION advance_reactor(
  reactor text, from_position bigint, to_position bigint,
  w_id uuid[], w_kind text[], w_lane text[], w_priority smallint[], w_payload text[], w_run_at bigint[],
  w_position bigint[], w_n int[], OUT advanced boolean)
LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE reactors r SET position = to_position
   WHERE r.name = reactor AND r.position = from_position
     AND to_position <= (SELECT coalesce(max(e.position), 0) FROM events e);
  advanced := FOUND;
  IF advanced AND w_id <> '{}' THEN
    PERFORM add_work(w_id, w_kind, w_lane, w_priority, w_payload, w_run_at, w_position, w_n);
  END IF;
END $$;

-- Those of the kinds that are not paused, each once.
CREATE FUNCTION claimable(kinds text[]) RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF EXISTS (SELECT FROM work_pauses p WHERE p.kind = '*') THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(SELECT DISTINCT k.kind FROM unnest(kinds) AS k(kind)
                WHERE (SELECT 1 FROM work_pauses p WHERE p.kind = k.kind) IS NULL);
END $$;

-- Claims up to `most` rows for `lease` microseconds: heads that are due and that nobody holds, in the order of their due
-- time, a minute earlier for each priority. Times are returned in microseconds.
CREATE FUNCTION claim_work(kinds text[], most int, lease bigint)
RETURNS TABLE (id uuid, attempt int, tries int, lost int, kind text, lane text, payload text, priority smallint,
               created_position bigint, n int, run_at bigint, claimed_at bigint)
LANGUAGE plpgsql
SET enable_bitmapscan = off -- which would walk past the dead entries of all former claims each time; an index scan once
SET jit = off -- generic plans look as dear as the limits might be
AS $$
#variable_conflict use_column
DECLARE
  at         timestamptz := clock_timestamp();
  open       text[] := claimable(kinds);
  of_kind    text[];
  priorities smallint[];
  shares     bigint[];
  taken      tid[];
BEGIN
  -- Which kinds and priorities have any that are due; usually it is one.
  SELECT array_agg(k.kind), array_agg(p.priority), array_agg(most) INTO of_kind, priorities, shares
    FROM unnest(open) AS k(kind) CROSS JOIN generate_series(0, 9) AS p(priority)
   WHERE (SELECT 1 FROM work w
           WHERE w.state = 'ready' AND w.kind = k.kind AND w.priority = p.priority AND w.run_at <= at
             AND (w.lease_until IS NULL OR w.lease_until <= at)
           ORDER BY w.run_at, w.created_position, w.n LIMIT 1) IS NOT NULL;
  -- First how many of each it will be, then as many locks: no head is locked in vain, and whoever claims at the same time
  -- gets the next ones.
  IF cardinality(of_kind) > 1 THEN
    SELECT array_agg(f.kind), array_agg(f.priority), array_agg(f.share) INTO of_kind, priorities, shares
      FROM (
        SELECT f.kind, f.priority, count(*) AS share
          FROM (
            SELECT s.kind, s.priority
              FROM unnest(of_kind, priorities) AS s(kind, priority)
             CROSS JOIN LATERAL (
               SELECT w.run_at, w.created_position, w.n FROM work w
                WHERE w.state = 'ready' AND w.kind = s.kind AND w.priority = s.priority AND w.run_at <= at
                  AND (w.lease_until IS NULL OR w.lease_until <= at)
                ORDER BY w.run_at, w.created_position, w.n LIMIT most) w
             ORDER BY w.run_at - s.priority * interval '1 minute', w.created_position, w.n LIMIT most) f
         GROUP BY f.kind, f.priority) f;
  END IF;
  taken := ARRAY(
    SELECT w.ctid
      FROM unnest(of_kind, priorities, shares) AS s(kind, priority, share)
     CROSS JOIN LATERAL (
       SELECT w.ctid FROM work w
        WHERE w.state = 'ready' AND w.kind = s.kind AND w.priority = s.priority AND w.run_at <= at
          AND (w.lease_until IS NULL OR w.lease_until <= at)
        ORDER BY w.run_at, w.created_position, w.n LIMIT s.share FOR UPDATE SKIP LOCKED) w);
  RETURN QUERY
  UPDATE work w
     SET attempt = w.attempt + 1, lease_until = at + lease * interval '1 microsecond',
         lost = CASE WHEN w.lease_until IS NULL THEN 0 ELSE w.lost + 1 END
   WHERE w.ctid = ANY (taken) -- which stand still: they are locked
  RETURNING w.id, w.attempt, w.tries, w.lost, w.kind, w.lane, w.payload::text, w.priority, w.created_position, w.n,
            (extract(epoch FROM w.run_at) * 1000000)::bigint, (extract(epoch FROM at) * 1000000)::bigint;
END $$;

-- Microseconds until the next head is due or the next lease ends; null when there is neither.
CREATE FUNCTION next_work(kinds text[], OUT microseconds bigint)
LANGUAGE plpgsql
SET enable_bitmapscan = off
SET jit = off
AS $$
DECLARE
  at   timestamptz := clock_timestamp();
  open text[] := claimable(kinds);
  next timestamptz;
BEGIN
  IF (SELECT 1 FROM unnest(open) AS k(kind) CROSS JOIN generate_series(0, 9) AS p(priority)
       WHERE (SELECT 1 FROM work w
               WHERE w.state = 'ready' AND w.kind = k.kind AND w.priority = p.priority AND w.run_at <= at
                 AND (w.lease_until IS NULL OR w.lease_until <= at)
               ORDER BY w.run_at, w.created_position, w.n LIMIT 1) IS NOT NULL
       LIMIT 1) IS NOT NULL THEN
    microseconds := 0;
    RETURN;
  END IF;
  -- So what is due is held, and is no more than there are claims.
  SELECT min(w.at) INTO next
    FROM unnest(open) AS k(kind) CROSS JOIN generate_series(0, 9) AS p(priority)
   CROSS JOIN LATERAL (
     SELECT min(coalesce(w.lease_until, w.run_at)) AS at FROM work w
      WHERE w.state = 'ready' AND w.kind = k.kind AND w.priority = p.priority AND w.run_at <= at
     UNION ALL
     SELECT (SELECT w.run_at FROM work w
              WHERE w.state = 'ready' AND w.kind = k.kind AND w.priority = p.priority AND w.run_at > at
              ORDER BY w.run_at LIMIT 1)) w;
  microseconds := greatest((extract(epoch FROM next - clock_timestamp()) * 1000000)::bigint,
                           CASE WHEN next IS NOT NULL THEN 0 END);
END $$;

-- The claims that still hold, each extended to `lease` microseconds from now.
CREATE FUNCTION extend_work(w_id uuid[], w_attempt int[], lease bigint)
RETURNS TABLE (id uuid, attempt int)
LANGUAGE plpgsql
SET enable_hashjoin = off -- by key, however small the table looks
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
  PERFORM lock_lanes(ARRAY(SELECT w.lane FROM work w WHERE w.id = ANY (w_id)));
  RETURN QUERY
  UPDATE work w SET lease_until = clock_timestamp() + lease * interval '1 microsecond'
    FROM unnest(w_id, w_attempt) AS c(id, attempt)
   WHERE w.id = c.id AND w.attempt = c.attempt AND w.lease_until IS NOT NULL
  RETURNING w.id, w.attempt;
END $$;

-- Ends claims: in 'done' or 'failed', or in 'ready' again, due after so many microseconds (null: as it was); an error says
-- that it was a try. Which of them were held, and how many rows became heads.
CREATE FUNCTION end_claims(
  w_id uuid[], w_attempt int[], w_state text[], w_error text[], w_after bigint[], OUT ended uuid[], OUT promoted int)
LANGUAGE plpgsql
SET enable_hashjoin = off -- by key, however small the table looks
SET enable_mergejoin = off
AS $$
DECLARE
  at    timestamptz;
  lanes text[] := ARRAY(SELECT w.lane FROM work w WHERE w.id = ANY (w_id));
BEGIN
  PERFORM lock_lanes(lanes);
  at := clock_timestamp();
  WITH changed AS (
    UPDATE work w
       SET state = c.state, lease_until = NULL, last_error = coalesce(c.error, w.last_error),
           tries = w.tries + CASE WHEN c.error IS NULL THEN 0 ELSE 1 END,
           run_at = coalesce(at + c.after * interval '1 microsecond', w.run_at),
           finished_at = CASE WHEN c.state <> 'ready' THEN at END
      FROM unnest(w_id, w_attempt, w_state, w_error, w_after) AS c(id, attempt, state, error, after)
     WHERE w.id = c.id AND w.attempt = c.attempt AND w.lease_until IS NOT NULL
    RETURNING w.id)
  SELECT coalesce(array_agg(c.id), '{}') INTO ended FROM changed c;
  promoted := settle_lanes(lanes);
END $$;

-- What failed goes back to where it stood in its lane; a head that waits for a retry is due now. Either begins a new round
-- of tries.
CREATE FUNCTION retry_by_hand(work_id uuid, OUT done boolean)
LANGUAGE plpgsql
AS $$
DECLARE
  lanes text[] := ARRAY(SELECT w.lane FROM work w WHERE w.id = work_id);
  at    timestamptz;
BEGIN
  PERFORM lock_lanes(lanes);
  at := clock_timestamp();
  UPDATE work w SET state = 'waiting', run_at = at, tries = 0, finished_at = NULL WHERE w.id = work_id AND w.state = 'failed';
  done := FOUND;
  IF done THEN
    PERFORM settle_lanes(lanes);
  ELSE
    UPDATE work w SET run_at = at, tries = 0
     WHERE w.id = work_id AND w.state = 'ready' AND w.lease_until IS NULL AND w.attempt > 0 AND w.run_at > at;
    done := FOUND;
  END IF;
END $$;

CREATE FUNCTION skip_work(work_id uuid, OUT done boolean)
LANGUAGE plpgsql
AS $$
DECLARE
  lanes text[] := ARRAY(SELECT w.lane FROM work w WHERE w.id = work_id);
BEGIN
  PERFORM lock_lanes(lanes);
  UPDATE work w SET state = 'skipped', finished_at = clock_timestamp()
   WHERE w.id = work_id AND w.state IN ('waiting', 'ready', 'failed') AND w.lease_until IS NULL;
  done := FOUND;
  PERFORM settle_lanes(lanes);
END $$;

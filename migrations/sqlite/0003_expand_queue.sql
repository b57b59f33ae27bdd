-- How far each reactor has turned the log into work, and which kinds of work nobody may claim ('*': all of them). What
-- the PostgreSQL twin does in functions is done by statements in one transaction here.
CREATE TABLE reactors (
  name          TEXT PRIMARY KEY,
  position      INTEGER NOT NULL,
  registered_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;

CREATE TABLE work_pauses (
  kind   TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  since  INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;

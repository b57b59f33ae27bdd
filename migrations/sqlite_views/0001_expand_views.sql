-- Where each view stands, in a file beside the log. See the PostgreSQL twin.
CREATE TABLE views (
  name            TEXT NOT NULL,
  version         INTEGER NOT NULL,
  generation      INTEGER NOT NULL,
  last_generation INTEGER NOT NULL,
  shape           TEXT NOT NULL,
  position        INTEGER NOT NULL,
  epoch           TEXT NOT NULL,
  halted_kind     TEXT CHECK (halted_kind IN ('unknown', 'poison')),
  halted_at       INTEGER,
  halted_why      TEXT,
  paused          INTEGER NOT NULL DEFAULT 0,
  held_by         BLOB,
  held_until      INTEGER, -- microseconds since 1970, UTC
  updated_at      INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
  PRIMARY KEY (name, version)
) STRICT;

CREATE TABLE view_builds (
  name       TEXT NOT NULL,
  version    INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  epoch      TEXT NOT NULL,
  finished   INTEGER NOT NULL DEFAULT 0,
  begun_at   INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
  PRIMARY KEY (name, version, generation)
) STRICT;

CREATE TABLE view_counts (
  view       TEXT NOT NULL,
  version    INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  grouping   TEXT NOT NULL,
  value      TEXT NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (view, version, generation, grouping, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE view_skips (
  name     TEXT NOT NULL,
  version  INTEGER NOT NULL,
  position INTEGER NOT NULL,
  why      TEXT NOT NULL,
  at       INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
  PRIMARY KEY (name, version, position)
) STRICT, WITHOUT ROWID;

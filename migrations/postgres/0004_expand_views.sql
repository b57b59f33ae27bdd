-- Where each view stands. The tables of their documents are made by the application as it needs them, in a schema where
-- it may make tables: nowhere else may it.
CREATE SCHEMA pagefree_views;

CREATE TABLE views (
  name            text COLLATE "C" NOT NULL,
  version         int    NOT NULL,
  generation      int    NOT NULL, -- whose table is the live one
  last_generation int    NOT NULL, -- numbers are not used twice
  shape           text   NOT NULL,
  position        bigint NOT NULL,
  epoch           text   NOT NULL,
  halted_kind     text   CHECK (halted_kind IN ('unknown', 'poison')),
  halted_at       bigint,
  halted_why      text,
  paused          boolean NOT NULL DEFAULT false,
  held_by         uuid,
  held_until      timestamptz,
  updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (name, version)
) WITH (fillfactor = 50); -- moved at every commit: without an index to maintain

-- Generations under construction.
CREATE TABLE view_builds (
  name       text COLLATE "C" NOT NULL,
  version    int     NOT NULL,
  generation int     NOT NULL,
  position   bigint  NOT NULL,
  epoch      text    NOT NULL,
  finished   boolean NOT NULL DEFAULT false,
  begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (name, version, generation)
);

-- How many documents there are in each group.
CREATE TABLE view_counts (
  view       text COLLATE "C" NOT NULL,
  version    int    NOT NULL,
  generation int    NOT NULL,
  grouping   text COLLATE "C" NOT NULL,
  value      text COLLATE "C" NOT NULL,
  n          bigint NOT NULL,
  PRIMARY KEY (view, version, generation, grouping, value)
) WITH (fillfactor = 80);

-- Events that an operator decided to pass over.
CREATE TABLE view_skips (
  name     text COLLATE "C" NOT NULL,
  version  int    NOT NULL,
  position bigint NOT NULL,
  why      text   NOT NULL,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (name, version, position)
);

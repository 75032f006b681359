CREATE TABLE purlin.schema_version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL
);
INSERT INTO purlin.schema_version (version) VALUES (0);

CREATE TABLE purlin.node (
    id text COLLATE "C" PRIMARY KEY,
    incarnation bigint NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 0),
    state text NOT NULL CHECK (state IN ('joining', 'active', 'draining', 'removed')),
    facts text NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE purlin.claim (
    key text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C",
    incarnation bigint,
    gtl bigint NOT NULL,
    epoch bigint NOT NULL,
    step bigint NOT NULL,
    suspect boolean NOT NULL,
    CHECK ((owner IS NULL) = (incarnation IS NULL))
) WITH (fillfactor = 50);

CREATE TABLE purlin.plan (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    body bytea NOT NULL
);
INSERT INTO purlin.plan (number, body) VALUES (0, '');

CREATE TABLE purlin.fenced_row (
    tbl text COLLATE "C" NOT NULL,
    key bigint NOT NULL,
    slot smallint NOT NULL,
    gtl bigint NOT NULL,
    epoch bigint NOT NULL,
    ver bigint NOT NULL,
    uniq bytea,
    body bytea NOT NULL,
    PRIMARY KEY (tbl, key)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX fenced_row_uniq ON purlin.fenced_row (tbl, uniq) WHERE uniq IS NOT NULL;
CREATE INDEX fenced_row_slot ON purlin.fenced_row (tbl, slot, key);

CREATE TABLE purlin.record (
    tbl text COLLATE "C" NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (tbl, key)
);

CREATE TABLE purlin.outbox (
    id bigint PRIMARY KEY,
    topic text NOT NULL,
    body bytea NOT NULL,
    made timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE purlin.outbox_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    last bigint NOT NULL,
    trimmed bigint NOT NULL
);
INSERT INTO purlin.outbox_state (last, trimmed) VALUES (0, 0);

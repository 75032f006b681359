CREATE TABLE purlin.standby (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    gtl bigint NOT NULL,
    seen timestamptz NOT NULL
);

-- How often a node's claims have changed hands: who writes rows under many claims asks for one number instead of all of them.
CREATE TABLE purlin.writer (
    id text COLLATE "C" PRIMARY KEY,
    changes bigint NOT NULL
) WITH (fillfactor = 50);

-- Whoever changes a claim counts it here, in the same transaction, whatever its version knows of this table. Whoever owns a
-- claim has a row.
CREATE FUNCTION purlin.claims_changed() RETURNS trigger LANGUAGE plpgsql AS $changed$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO purlin.writer AS w (id, changes)
            SELECT DISTINCT o.owner, 1 FROM former AS o WHERE o.owner IS NOT NULL ORDER BY 1
            ON CONFLICT (id) DO UPDATE SET changes = w.changes + 1;
    ELSE
        INSERT INTO purlin.writer AS w (id, changes)
            SELECT DISTINCT o.owner, 1 FROM former AS o JOIN latter AS n ON n.key = o.key
            WHERE o.owner IS NOT NULL AND (o.owner, o.incarnation, o.gtl, o.epoch)
                IS DISTINCT FROM (n.owner, n.incarnation, n.gtl, n.epoch) ORDER BY 1
            ON CONFLICT (id) DO UPDATE SET changes = w.changes + 1;
        INSERT INTO purlin.writer (id, changes)
            SELECT DISTINCT n.owner, 0 FROM latter AS n WHERE n.owner IS NOT NULL ORDER BY 1 ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$changed$;
CREATE TRIGGER claims_changed AFTER UPDATE ON purlin.claim
    REFERENCING OLD TABLE AS former NEW TABLE AS latter
    FOR EACH STATEMENT EXECUTE FUNCTION purlin.claims_changed();
CREATE TRIGGER claims_deleted AFTER DELETE ON purlin.claim
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION purlin.claims_changed();

-- Nobody changes a claim until this is done: the triggers wait for whoever does, and are waited for.
INSERT INTO purlin.writer (id, changes) SELECT DISTINCT owner, 0 FROM purlin.claim WHERE owner IS NOT NULL;

-- Keys first: they tell rows apart at once, and names of tables, which are compared as texts, hardly ever have to be.
ALTER TABLE purlin.fenced_row DROP CONSTRAINT fenced_row_pkey;
ALTER TABLE purlin.fenced_row ADD PRIMARY KEY (key, tbl);
DROP INDEX purlin.fenced_row_uniq;
CREATE UNIQUE INDEX fenced_row_uniq ON purlin.fenced_row (uniq, tbl) WHERE uniq IS NOT NULL;
DROP INDEX purlin.fenced_row_slot;
CREATE INDEX fenced_row_slot ON purlin.fenced_row (slot, key, tbl);

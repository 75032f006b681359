-- One row for all that is known of histories and standbys.
ALTER TABLE purlin.standby ADD COLUMN synced boolean NOT NULL DEFAULT false;
ALTER TABLE purlin.standby ADD COLUMN parted bigint;
UPDATE purlin.standby SET parted = gtl;
-- Where nothing was ever claimed, nothing can have been lost.
INSERT INTO purlin.standby (gtl, seen, synced, parted)
    SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint, '-infinity', false, 0
    WHERE NOT EXISTS (SELECT FROM purlin.claim) ON CONFLICT DO NOTHING;
ALTER TABLE purlin.standby ALTER COLUMN parted SET NOT NULL;

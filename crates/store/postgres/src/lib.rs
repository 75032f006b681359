//! PostgreSQL as the durable store of a cluster: claims, fenced rows, records.

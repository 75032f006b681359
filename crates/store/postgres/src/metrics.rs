//! How connections to the database are used, and whether calls reach it.

use crate::breaker::BreakerState;
use crate::pool::PoolUse;
use crate::postgres::Postgres;
use purlin_telemetry::metrics::{Collector, Encoder};

/// Shows some pools of connections by what they are for; register it once.
#[derive(Debug, Clone)]
pub struct DatabaseMetrics(pub Vec<(&'static str, Postgres)>);

impl Collector for DatabaseMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        for (purpose, database) in &self.0 {
            pool(encoder, purpose, "primary", database.pool_use());
            if let Some(replica) = database.replica_use() {
                pool(encoder, purpose, "replica", replica);
            }
            breaker(encoder, purpose, database);
        }
    }
}

fn pool(encoder: &mut Encoder, purpose: &str, server: &str, used: PoolUse) {
    let mut connections = encoder.gauge(
        "purlin_database_connections",
        "Connections to the database, lent out or kept for the next call.",
    );
    for (state, count) in [("busy", used.busy), ("idle", used.idle)] {
        let labels = [("for", purpose), ("server", server), ("state", state)];
        connections.count(&labels, count as u64);
    }
    let labels = [("for", purpose), ("server", server)];
    encoder
        .gauge(
            "purlin_database_connections_max",
            "The most connections there may be.",
        )
        .count(&labels, used.max_open as u64);
}

fn breaker(encoder: &mut Encoder, purpose: &str, database: &Postgres) {
    let (state, counts) = (database.breaker().as_str(), database.breaker_counts());
    let mut states = encoder.gauge(
        "purlin_database_breaker",
        "1 for how calls to the primary go: closed lets all pass, open refuses them at once, half_open lets one try.",
    );
    for word in BreakerState::WORDS {
        states.count(&[("for", purpose), ("state", word)], u64::from(word == state));
    }
    let labels = [("for", purpose)];
    encoder
        .counter(
            "purlin_database_breaker_opened_total",
            "How often calls began to be refused because the database did not answer.",
        )
        .count(&labels, counts.opened);
    encoder
        .counter(
            "purlin_database_calls_refused_total",
            "Calls that failed at once because the database had not answered.",
        )
        .count(&labels, counts.refused);
}

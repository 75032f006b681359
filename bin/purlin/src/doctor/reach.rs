//! Whether the database and Redis of a configuration are reached from this machine.

use super::Finding;
use crate::cluster::redis_places;
use crate::settings::Settings;
use futures_util::future::join_all;
use purlin_config::sections::store::{CoordinationEngine, StoreEngine};
use purlin_store_postgres::Target;
use std::time::Duration;
use tokio::net::TcpStream;

const STORE: &str = "store";
const COORDINATION: &str = "coordination";
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens a connection to each; a password or a certificate that is wrong shows when the node starts. What cannot be read
/// as an address is the matter of the check of the file.
pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let store = &settings.store;
    let mut wanted: Vec<(&'static str, String)> = Vec::new();
    if let StoreEngine::Postgres(url) = &store.records {
        let places = Target::parse(url).map(|target| target.places());
        wanted.extend(places.unwrap_or_default().into_iter().map(|at| (STORE, at)));
    }
    if let CoordinationEngine::Redis(url) = &store.coordination {
        let places = redis_places(url, &store.redis).unwrap_or_default();
        wanted.extend(places.into_iter().map(|at| (COORDINATION, at)));
    }
    join_all(wanted.into_iter().map(|(check, at)| reach(check, at))).await
}

async fn reach(check: &'static str, at: String) -> Finding {
    let fix = match check {
        STORE => {
            "see whether PostgreSQL runs and listens there: store.url, listen_addresses, pg_hba.conf, firewalls"
        }
        _ => "see whether Redis runs and listens there: coordination.url, bind, protected-mode, firewalls",
    };
    match tokio::time::timeout(PATIENCE, TcpStream::connect(&at)).await {
        Ok(Ok(_)) => Finding::pass(check, format!("{at} is reached")),
        Ok(Err(cause)) => Finding::fail(check, format!("{at} is not reached: {cause}"), fix),
        Err(_) => {
            let said = format!("{at} does not answer within {} s", PATIENCE.as_secs());
            Finding::fail(check, said, fix)
        }
    }
}

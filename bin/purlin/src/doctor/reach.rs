//! Whether the database and Redis of a configuration are reached from this machine.

use super::Finding;
use crate::settings::Settings;
use futures_util::future::join_all;
use purlin_config::sections::store::{CoordinationEngine, StoreEngine};
use std::time::Duration;
use tokio::net::TcpStream;

const STORE: &str = "store";
const COORDINATION: &str = "coordination";
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens a connection to each; a password or a certificate that is wrong shows when the node starts.
pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let mut wanted: Vec<(&'static str, String)> = Vec::new();
    if let StoreEngine::Postgres(url) = &settings.store.records {
        wanted.extend(hosts(url, 5432).into_iter().map(|at| (STORE, at)));
    }
    if let CoordinationEngine::Redis(url) = &settings.store.coordination {
        wanted.extend(hosts(url, 6379).into_iter().map(|at| (COORDINATION, at)));
        if let Some((_, nodes)) = &settings.store.redis.sentinel {
            let at = |node: &String| with_port(node, 26379);
            wanted.extend(nodes.iter().map(|node| (COORDINATION, at(node))));
        }
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

/// `host:port` of each host of a URL: `scheme://user:password@one:1,two:2/what?how`.
fn hosts(url: &str, port: u16) -> Vec<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let hosts = hosts.split(',').filter(|host| !host.is_empty());
    hosts.map(|host| with_port(host, port)).collect()
}

fn with_port(host: &str, port: u16) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(name, port)| {
        port.bytes().all(|octet| octet.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']'))
    });
    if has_port {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_urls_of_every_form() {
        let of = |url| hosts(url, 5432);
        assert_eq!(
            of("postgresql://u:p@db.example.com/purlin?sslmode=require"),
            ["db.example.com:5432"]
        );
        assert_eq!(
            of("postgresql://u:p%40@db:5433,other/purlin"),
            ["db:5433", "other:5432"]
        );
        assert_eq!(
            hosts("rediss://:secret@[fd00::1]:6380/3", 6379),
            ["[fd00::1]:6380"]
        );
        assert_eq!(hosts("redis://[fd00::1]", 6379), ["[fd00::1]:6379"]);
        assert!(hosts("", 6379).is_empty());
    }
}

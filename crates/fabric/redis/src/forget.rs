//! Forgetting by pattern: every server's keys are looked through in bounded steps, and what matches is unlinked.

use crate::calls::Calls;
use crate::pool::Wire;
use crate::trouble::Trouble;
use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, RedisResult, Value};
use std::time::Duration;

/// How many keys a server looks at in one step: about a tenth of a millisecond of its time.
const STEP: u32 = 500;
/// Longest that one sweep over all servers may take; each of its steps has the timeout of a call.
const SWEEP: Duration = Duration::from_secs(60);

/// A place in one server's keys.
struct Cursor {
    /// `None`: the only server.
    server: Option<(String, u16)>,
    at: String,
}

/// One step's outcome: where to go on, and the keys found. They are octets: others may write keys too.
type Page = (String, Vec<Vec<u8>>);

/// Unlinks all keys that `pattern` finds; how many there were.
pub(crate) async fn forget(calls: &Calls, pattern: &str) -> Result<u64, Trouble> {
    match tokio::time::timeout(SWEEP, sweep(calls, pattern)).await {
        Ok(forgotten) => forgotten,
        Err(_) => Err(Trouble::Late(SWEEP)),
    }
}

async fn sweep(calls: &Calls, pattern: &str) -> Result<u64, Trouble> {
    let mut forgotten = 0;
    let mut open = Vec::new();
    for (server, page) in first(calls, pattern).await? {
        forgotten += unlink(calls, &page.1).await?;
        open.push(Cursor { server, at: page.0 });
    }
    for mut cursor in open {
        while cursor.at != "0" {
            let (at, keys) = step(calls, pattern, &cursor).await?;
            forgotten += unlink(calls, &keys).await?;
            cursor.at = at;
        }
    }
    Ok(forgotten)
}

fn scan(pattern: &str, at: &str) -> Cmd {
    let mut scan = redis::cmd("SCAN");
    scan.arg(at).arg("MATCH").arg(pattern).arg("COUNT").arg(STEP);
    scan
}

/// The first step on every server.
async fn first(calls: &Calls, pattern: &str) -> Result<Vec<(Option<(String, u16)>, Page)>, Trouble> {
    let scan = scan(pattern, "0");
    let answer: Value = calls
        .bounded(async |wire: Wire| match wire {
            Wire::One(_) => wire.send(&scan).await,
            Wire::Cluster(mut wire) => {
                let masters = RoutingInfo::MultiNode((
                    MultipleNodeRoutingInfo::AllMasters,
                    Some(ResponsePolicy::Special),
                ));
                wire.route_command(scan.clone(), masters).await
            }
        })
        .await?;
    match answer {
        Value::Map(answers) => answers
            .into_iter()
            .map(|(server, page)| Ok((Some(place(&server)?), read(page)?)))
            .collect(),
        answer => Ok(vec![(None, read(answer)?)]),
    }
}

async fn step(calls: &Calls, pattern: &str, cursor: &Cursor) -> Result<Page, Trouble> {
    let scan = scan(pattern, &cursor.at);
    calls
        .bounded(async |wire: Wire| match (wire, &cursor.server) {
            (Wire::Cluster(mut wire), Some((host, port))) => {
                let there = SingleNodeRoutingInfo::ByAddress {
                    host: host.clone(),
                    port: *port,
                };
                wire.route_command(scan.clone(), RoutingInfo::SingleNode(there))
                    .await
            }
            (wire, _) => wire.send(&scan).await,
        })
        .await
}

/// In a Cluster the client sends each key to its own server and adds the answers up.
async fn unlink(calls: &Calls, keys: &[Vec<u8>]) -> Result<u64, Trouble> {
    if keys.is_empty() {
        return Ok(0);
    }
    let mut unlink = redis::cmd("UNLINK");
    unlink.arg(keys);
    calls.send(&unlink).await
}

fn read(page: Value) -> Result<Page, Trouble> {
    let page: RedisResult<Page> = page
        .extract_error()
        .and_then(|page| redis::from_redis_value(page).map_err(redis::RedisError::from));
    Ok(page?)
}

fn place(server: &Value) -> Result<(String, u16), Trouble> {
    let text: String = redis::from_redis_value_ref(server).map_err(redis::RedisError::from)?;
    let place = text.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), port.parse().ok()?))
    });
    place.ok_or_else(|| Trouble::Cluster(format!("a node calls itself {text}")))
}

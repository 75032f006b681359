//! What is measured.

use crate::Outcome;
use crate::http::Connection;
use crate::node::Node;
use crate::server::Server;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const PART: Duration = Duration::from_secs(4);
const PORTS: &str = "/api/v1/ovn/nb/Logical_Switch_Port";

/// What to ask for, by the connection and by how many it has asked for already.
type Question = Arc<dyn Fn(usize, usize) -> (&'static str, String, String) + Send + Sync>;

/// A path, by how many were asked for already.
type Get = fn(usize) -> String;

pub(crate) async fn reads(node: &Node, server: &Server) -> Outcome<()> {
    let gets: [(&str, Get); 7] = [
        ("one port by name", |n| format!("{PORTS}/port-{}", n * 37 % 1000)),
        ("a page of 100", |_| PORTS.to_owned()),
        ("a page of 100 far behind", |n| {
            format!(
                "{PORTS}?cursor={:08x}-0000-4000-8000-000000000000",
                n.wrapping_mul(0x0103_0507) & 0xffff_ffff
            )
        }),
        ("a list by name", |n| {
            format!("{PORTS}?name=port-{}", n * 37 % 1000)
        }),
        ("a list by owner", |_| format!("{PORTS}?owned_by=shop&limit=10")),
        ("a list by parent_name", |_| format!("{PORTS}?parent_name=nobody")),
        ("sorted by name, 10 rows, 2 columns", |_| {
            format!("{PORTS}?sort=name&limit=10&fields=name,addresses")
        }),
    ];
    for (what, path) in gets {
        let ask: Question = Arc::new(move |_, n| ("GET", path(n), String::new()));
        measure(node, server, what, 4, 1, ask).await?;
    }
    Ok(())
}

pub(crate) async fn creates(node: &Node, server: &Server) -> Outcome<()> {
    for connections in [1, 64] {
        let ask: Question = Arc::new(move |c, n| {
            // A switch of its own for every hundred ports of a connection.
            let path = format!("{PORTS}?parent=Logical_Switch/switch-{}", c * 7 + n / 100);
            ("POST", path, port(connections, c, n).to_string())
        });
        measure(node, server, "one port created", connections, 1, ask).await?;
    }
    Ok(())
}

pub(crate) async fn bulk(node: &Node, server: &Server) -> Outcome<()> {
    for (connections, each) in [(1, 5000), (4, 1000)] {
        let ask: Question = Arc::new(move |c, n| {
            let change = |at: usize| {
                let number = n * each + at;
                json!({ "op": "insert", "table": "Logical_Switch_Port", "columns": port(1000 + each, c, number),
                        "parent": format!("Logical_Switch/switch-{}", (c * 250 + number / 100) % 1000) })
            };
            let changes: Vec<_> = (0..each).map(change).collect();
            (
                "POST",
                "/api/v1/ovn/changes".to_owned(),
                json!({ "changes": changes }).to_string(),
            )
        });
        measure(
            node,
            server,
            &format!("{each} ports at once"),
            connections,
            each,
            ask,
        )
        .await?;
    }
    Ok(())
}

fn port(series: usize, connection: usize, n: usize) -> serde_json::Value {
    let [_, _, s, t] = u32::try_from(series).unwrap_or_default().to_be_bytes();
    let [_, a, b, c] = u32::try_from(n).unwrap_or_default().to_be_bytes();
    let (x, y) = (connection, a ^ s.wrapping_mul(16) ^ t);
    json!({ "name": format!("p{series}-{connection}-{n}"),
            "addresses": [format!("{:02x}:{x:02x}:{y:02x}:{a:02x}:{b:02x}:{c:02x} {}.{x}.{b}.{c}", 2 + ((s & 15) << 4), 100 + u16::from(y % 100))] })
}

async fn measure(
    node: &Node,
    server: &Server,
    what: &str,
    connections: usize,
    each: usize,
    ask: Question,
) -> Outcome<()> {
    let (own, its) = (node.cpu()?, server.cpu()?);
    let (began, mut tasks) = (Instant::now(), JoinSet::new());
    for c in 0..connections {
        let (ask, mut connection) = (ask.clone(), Connection::open(node).await?);
        tasks.spawn(async move {
            let (mut times, mut n) = (Vec::new(), 0);
            while began.elapsed() < PART {
                let (method, path, body) = ask(c, n);
                let sent = Instant::now();
                let (status, body) = connection.ask(method, &path, &body).await?;
                if status >= 300 {
                    let text: String = String::from_utf8_lossy(&body).chars().take(300).collect();
                    return Err(format!("{method} {path}: {status} {text}").into());
                }
                times.push(sent.elapsed());
                n += 1;
            }
            Outcome::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let took = began.elapsed();
    times.sort_unstable();
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000];
    let done = f64::from(u32::try_from(times.len() * each)?);
    let per = 10_000.0 / done;
    println!(
        "{what}, {connections} connections: {:.0}/s, p50 {:?}, p99 {:?}; processor seconds per 10,000: node {:.2}, database {:.2}; node {} MiB",
        done / took.as_secs_f64(),
        at(500),
        at(990),
        (node.cpu()? - own) * per,
        (server.cpu()? - its) * per,
        node.memory()?
    );
    Ok(())
}

//! One master, two replicas, three Sentinels.

use super::server::Server;
use super::{eventually, quick};
use purlin_fabric_redis::{Settings, Topology};
use std::collections::HashMap;
use std::fmt::Write as _;

pub(crate) struct Watched {
    /// The first is the master at the start.
    pub(crate) servers: Vec<Server>,
    pub(crate) sentinels: Vec<Server>,
}

impl Watched {
    pub(crate) async fn start() -> Self {
        // Without the delay of zero a replica waits five seconds for its first copy.
        let common = ["--repl-diskless-sync-delay", "0"];
        let master = Server::start(&common).await;
        let port = master.address.port.to_string();
        let mut servers = vec![master];
        for _ in 0..2 {
            let replica = [&common[..], &["--replicaof", "127.0.0.1", &port]].concat();
            servers.push(Server::start(&replica).await);
        }
        eventually("two replicas are in step", async || {
            let info: String = servers[0].ask(&["INFO", "replication"]).await;
            (info.matches("state=online").count() == 2).then_some(())
        })
        .await;
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            sentinels.push(sentinel(&port).await);
        }
        let watched = Self { servers, sentinels };
        watched.quorum().await;
        watched
    }

    /// Until every Sentinel knows the two others and both replicas.
    async fn quorum(&self) {
        for sentinel in &self.sentinels {
            eventually("the Sentinels know each other", async || {
                let master: HashMap<String, String> =
                    sentinel.try_ask(&["SENTINEL", "MASTER", "mymaster"]).await.ok()?;
                let known = |key: &str| master.get(key).map(String::as_str);
                (known("num-other-sentinels") == Some("2") && known("num-slaves") == Some("2")).then_some(())
            })
            .await;
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        quick(Topology::Sentinel {
            master: "mymaster".into(),
            nodes: self.sentinels.iter().map(|node| node.address.clone()).collect(),
            password: None,
        })
    }
}

async fn sentinel(master: &str) -> Server {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("sentinel.conf");
    let mut text = format!("bind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {master} 2\n");
    for (key, value) in [
        ("down-after-milliseconds", 800),
        ("failover-timeout", 4000),
        ("parallel-syncs", 2),
    ] {
        writeln!(text, "sentinel {key} mymaster {value}").expect("memory takes it");
    }
    std::fs::write(&file, text).expect("a new file");
    let mut server = Server::start(&[file.to_str().expect("a plain path"), "--sentinel"]).await;
    server.keep(folder);
    server
}

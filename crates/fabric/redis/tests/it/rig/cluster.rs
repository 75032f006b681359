//! Three masters, three replicas.

use super::server::{Server, free_port};
use super::{eventually, quick};
use purlin_fabric_redis::{Settings, Topology};

pub(crate) struct Cluster {
    /// The first three are the masters at the start.
    pub(crate) nodes: Vec<Server>,
}

const RANGES: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];

impl Cluster {
    pub(crate) async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..6 {
            let bus = free_port().to_string();
            let arguments = [
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "1000",
                "--cluster-allow-replica-migration",
                "no",
                "--repl-diskless-sync-delay",
                "0",
            ];
            nodes.push((Server::start(&arguments).await, bus));
        }
        for ((node, _), (first, last)) in nodes.iter().zip(RANGES) {
            let () = node.ask(&["CLUSTER", "ADDSLOTSRANGE", first, last]).await;
        }
        let (first, others) = nodes.split_first().expect("six nodes");
        for (number, (node, _)) in (1..).zip(&nodes) {
            // Two masters that begin with the same epoch would first have to agree on another.
            let _: redis::RedisResult<()> = node
                .try_ask(&["CLUSTER", "SET-CONFIG-EPOCH", &number.to_string()])
                .await;
        }
        for (other, bus) in others {
            let port = other.address.port.to_string();
            let () = first.0.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]).await;
        }
        let cluster = Self {
            nodes: nodes.into_iter().map(|(node, _)| node).collect(),
        };
        cluster.replicate().await;
        cluster
    }

    async fn replicate(&self) {
        self.all("all nodes know all", |info| {
            info.contains("cluster_known_nodes:6")
        })
        .await;
        for (master, replica) in self.nodes[..3].iter().zip(&self.nodes[3..]) {
            let id: String = master.ask(&["CLUSTER", "MYID"]).await;
            eventually("a replica follows", async || {
                replica.try_ask::<()>(&["CLUSTER", "REPLICATE", &id]).await.ok()
            })
            .await;
        }
        self.all("the cluster is whole", |info| info.contains("cluster_state:ok"))
            .await;
        for replica in &self.nodes[3..] {
            eventually("a replica is in step", async || {
                let info: String = replica.ask(&["INFO", "replication"]).await;
                info.contains("master_link_status:up").then_some(())
            })
            .await;
        }
        // Only when everybody has heard that it has a replica can a master be voted down.
        for node in &self.nodes {
            eventually("replicas are known", async || {
                let nodes: String = node.ask(&["CLUSTER", "NODES"]).await;
                (nodes.matches("slave").count() == 3).then_some(())
            })
            .await;
        }
    }

    async fn all(&self, what: &str, holds: impl Fn(&str) -> bool) {
        for node in &self.nodes {
            eventually(what, async || {
                let info: String = node.ask(&["CLUSTER", "INFO"]).await;
                holds(&info).then_some(())
            })
            .await;
        }
    }

    /// Opens the way of a key's slot from its master to another one.
    pub(crate) async fn migrating(&self, key: &str) -> [&Server; 2] {
        let slot = self.nodes[0].slot(key).await;
        let mut from = &self.nodes[0];
        for node in &self.nodes[..3] {
            let kept: redis::RedisResult<usize> = node.try_ask(&["EXISTS", key]).await;
            if kept.is_ok_and(|kept| kept == 1) {
                from = node;
            }
        }
        let to = self.nodes[..3].iter().find(|node| node.address != from.address);
        let to = to.expect("there are three masters");
        let ids = [
            from.ask(&["CLUSTER", "MYID"]).await,
            to.ask::<String>(&["CLUSTER", "MYID"]).await,
        ];
        let () = to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &ids[0]]).await;
        let () = from
            .ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &ids[1]])
            .await;
        [from, to]
    }

    pub(crate) fn settings(&self) -> Settings {
        // Two addresses are enough: the others are learnt.
        let some = [&self.nodes[0], &self.nodes[4]];
        quick(Topology::Cluster(some.map(|node| node.address.clone()).to_vec()))
    }
}

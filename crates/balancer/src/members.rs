//! Backends that come and go with the nodes of a cluster.

use crate::pool::{FrontBackend, Pool};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How often the list of nodes is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A node that could take work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberNode {
    pub name: String,
    pub address: IpAddr,
    /// Port of its API, where it is asked whether it is ready.
    pub api_port: u16,
    pub weight: u16,
    /// Whether it takes new work: not while it drains.
    pub takes_work: bool,
}

/// Tells who the nodes are, without waiting.
pub trait Members: Send + Sync {
    /// All nodes that are members now, in any order.
    fn now(&self) -> Vec<MemberNode>;
}

/// The ports of a front's backends on every node; those of its API where they are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberPorts {
    pub service: Option<u16>,
    pub check: Option<u16>,
}

impl MemberPorts {
    /// The nodes as backends, in the order of their names.
    pub(crate) fn backends(self, nodes: Vec<MemberNode>) -> Vec<FrontBackend> {
        let backend = |node: MemberNode| FrontBackend {
            address: SocketAddr::new(node.address, self.service.unwrap_or(node.api_port)),
            check: SocketAddr::new(node.address, self.check.unwrap_or(node.api_port)),
            weight: if node.takes_work { node.weight } else { 0 },
            name: node.name,
        };
        let mut backends: Vec<FrontBackend> = nodes.into_iter().map(backend).collect();
        backends.sort_by(|a, b| a.name.cmp(&b.name));
        backends
    }
}

/// Keeps a pool as the list of nodes is, for as long as it is polled.
pub(crate) async fn follow(pool: Arc<Pool>, members: Arc<dyn Members>, ports: MemberPorts) {
    let mut known = Vec::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        let backends = ports.backends(members.now());
        // Nobody at all is news that is not believed: the list is empty while the store cannot be asked.
        if !backends.is_empty() && backends != known {
            pool.replace(&backends);
            known = backends;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_drains_takes_nothing_new() {
        let node = |name: &str, takes_work| MemberNode {
            name: name.to_owned(),
            address: [10, 0, 0, 1].into(),
            api_port: 8080,
            weight: 100,
            takes_work,
        };
        let ports = MemberPorts {
            service: Some(67),
            check: None,
        };
        let backends = ports.backends(vec![node("b", false), node("a", true)]);
        let told: Vec<_> = backends
            .iter()
            .map(|b| (b.name.as_str(), b.address.port(), b.check.port(), b.weight))
            .collect();
        assert_eq!(told, [("a", 67, 8080, 100), ("b", 67, 8080, 0)]);
    }
}

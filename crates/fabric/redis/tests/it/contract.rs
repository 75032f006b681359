//! The suite that every engine of the port must pass.

use super::rig::{self, Cluster, Server};
use purlin_fabric::port::contract::hints::{self, HintsRig};
use purlin_fabric::port::{Hints, Later};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// A server of its own for every check.
struct Single(Mutex<Server>);

impl HintsRig for Single {
    fn hints(&self) -> Later<'_, Arc<dyn Hints>> {
        Box::pin(async {
            let settings = rig::single(&self.0.lock().await.address);
            Arc::new(rig::ready(settings).await) as Arc<dyn Hints>
        })
    }

    fn pass(&self, time: Duration) -> Later<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn cut(&self) -> Later<'_, bool> {
        Box::pin(async {
            self.0.lock().await.hang_up().await;
            true
        })
    }

    fn flush(&self) -> Later<'_, bool> {
        Box::pin(async {
            let () = self.0.lock().await.ask(&["FLUSHALL"]).await;
            true
        })
    }

    fn away(&self, away: bool) -> Later<'_, bool> {
        Box::pin(async move {
            let mut server = self.0.lock().await;
            if away {
                server.kill();
            } else {
                server.restart().await;
            }
            true
        })
    }
}

/// One Cluster for all checks, each under a prefix of its own.
struct Shared {
    cluster: Arc<Cluster>,
    prefix: String,
}

impl HintsRig for Shared {
    fn hints(&self) -> Later<'_, Arc<dyn Hints>> {
        Box::pin(async {
            let mut settings = self.cluster.settings();
            settings.key_prefix.clone_from(&self.prefix);
            Arc::new(rig::ready(settings).await) as Arc<dyn Hints>
        })
    }

    fn pass(&self, time: Duration) -> Later<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn cut(&self) -> Later<'_, bool> {
        Box::pin(async {
            for node in &self.cluster.nodes {
                node.hang_up().await;
            }
            true
        })
    }
}

#[tokio::test]
async fn a_single_server_keeps_the_contract() {
    if rig::met() {
        hints::all(async || Single(Mutex::new(Server::start(&[]).await))).await;
    }
}

#[tokio::test]
async fn a_cluster_keeps_the_contract() {
    if !rig::met() {
        return;
    }
    let cluster = Arc::new(Cluster::start().await);
    let checks = AtomicUsize::new(0);
    hints::all(async || Shared {
        cluster: Arc::clone(&cluster),
        prefix: format!("check-{}*:", checks.fetch_add(1, Ordering::Relaxed)),
    })
    .await;
}

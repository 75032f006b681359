//! Fronts over loopback, with backends that die, hang and drain.

mod ejecting;
mod tcp;
mod udp;

use purlin_balancer::{Check, FrontBackend, Pool, PoolSettings};
use purlin_fabric::balance::{Algorithm, BackendStatus};
use purlin_fabric::health::HealthSettings;
use purlin_types::{BootTime, Now, WallTime};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// So long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(10);

fn clock() -> Arc<dyn Fn() -> Now + Send + Sync> {
    let start = Instant::now();
    Arc::new(move || Now {
        boot: BootTime(1 + start.elapsed().as_nanos() as u64),
        wall: WallTime(0),
    })
}

/// Health that changes its mind within tens of milliseconds.
fn quick() -> HealthSettings {
    HealthSettings {
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(500),
        rise: 1,
        fall: 1,
        slow_start: Duration::ZERO,
        ..HealthSettings::default()
    }
}

fn pool_settings(algorithm: Algorithm, backends: Vec<FrontBackend>) -> PoolSettings {
    PoolSettings {
        algorithm,
        health: quick(),
        check: Check::Tcp,
        backends,
        seed: 1,
    }
}

/// Waits until something is so.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while !holds() {
            look.tick().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

fn status(pool: &Pool, name: &str) -> BackendStatus {
    pool.status()
        .into_iter()
        .find(|backend| backend.name == name)
        .expect("it is in the pool")
}

/// A process that accepts connections, says its name and repeats what it hears; aborting it is its death.
struct Echo {
    name: &'static str,
    address: SocketAddr,
    life: AbortHandle,
}

impl Echo {
    async fn start(name: &'static str) -> Self {
        Self::start_at(name, LOOPBACK).await
    }

    async fn start_at(name: &'static str, at: SocketAddr) -> Self {
        let listener = TcpListener::bind(at).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let life = tokio::spawn(async move {
            // Connections die with the process.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    if stream.write_all(format!("{name}\n").as_bytes()).await.is_err() {
                        return;
                    }
                    let mut buffer = [0; 1024];
                    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                        if stream.write_all(&buffer[..length]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            name,
            address,
            life: life.abort_handle(),
        }
    }

    fn backend(&self) -> FrontBackend {
        FrontBackend {
            name: self.name.to_owned(),
            address: self.address,
            check: self.address,
            weight: 100,
        }
    }

    fn kill(&self) {
        self.life.abort();
    }
}

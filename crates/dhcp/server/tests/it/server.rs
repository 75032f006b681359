//! The service under test.

use crate::journal::Journals;
use purlin_dhcp_core::settings::{AckMode, ConflictCheck, Limits, Network, Pool, Scope, Settings, Subnet};
use purlin_dhcp_server::{Handle, Running, ServerConfig, Switches, start};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// Networks 10.1.0.0/16, 10.2.0.0/16 ... with a pool each.
pub(crate) fn settings(networks: u8, threads: u16) -> Settings {
    Settings {
        enabled: true,
        listen: vec![SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)],
        interfaces: Vec::new(),
        threads: Some(threads),
        ack: AckMode::Durable,
        mclt: Duration::from_secs(600),
        authoritative: true,
        server_id: None,
        echo_client_id: true,
        rapid_commit: true,
        bootp: false,
        offer_hold: Duration::from_secs(60),
        decline_hold: Duration::from_secs(600),
        affinity: Duration::from_secs(600),
        conflict_check: ConflictCheck::Off,
        conflict_wait: Duration::from_millis(50),
        proxy: false,
        limits: Limits {
            per_client: 0,
            per_relay: 0,
        },
        scope: Scope {
            lease_time: Some(Duration::from_secs(3600)),
            ..Scope::default()
        },
        option_defs: Vec::new(),
        classes: Vec::new(),
        networks: (1..=networks).map(|n| network(&format!("net-{n}"), n)).collect(),
        reservations: Vec::new(),
        flex_id: None,
        decisions: 1024,
        profiles: Vec::new(),
    }
}

pub(crate) fn network(name: &str, n: u8) -> Network {
    let subnet = Subnet {
        name: name.to_owned(),
        network: format!("10.{n}.0.0/16").parse().expect("a prefix"),
        pools: vec![Pool {
            range: format!("10.{n}.1.0-10.{n}.200.255").parse().expect("a range"),
            classes: Vec::new(),
            scope: Scope::default(),
        }],
        scope: Scope::default(),
        reservations: Vec::new(),
        relays: Vec::new(),
        interfaces: Vec::new(),
        classes: Vec::new(),
        conflict_check: None,
        reserved_only: false,
        proxy: false,
    };
    Network {
        name: name.to_owned(),
        scope: Scope::default(),
        subnets: vec![subnet],
    }
}

/// A running service with the journals it writes to.
pub(crate) struct Server {
    pub(crate) handle: Handle,
    pub(crate) journals: Journals,
    pub(crate) address: SocketAddrV4,
    running: Running,
}

impl Server {
    pub(crate) async fn start(settings: Settings) -> Self {
        Self::start_on(settings, Journals::default()).await
    }

    pub(crate) async fn start_on(settings: Settings, journals: Journals) -> Self {
        let mut server = Self::start_silent_on(settings, journals);
        server.address = server.handle.status().await.listen[0];
        server
    }

    /// Without a listen address.
    pub(crate) async fn start_silent(settings: Settings) -> Self {
        Self::start_silent_on(settings, Journals::default())
    }

    fn start_silent_on(settings: Settings, journals: Journals) -> Self {
        let config = ServerConfig {
            pins: [].into(),
            settings,
            switches: Switches::default(),
            journals: Arc::new(journals.clone()),
            receive_buffer: 1 << 20,
            pin_threads: false,
            recovery: None,
            share: None,
        };
        let (handle, running) = start(config).expect("the service starts");
        let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
        Self {
            handle,
            journals,
            address,
            running,
        }
    }

    pub(crate) async fn stop(self) -> Journals {
        self.running.stop(Duration::from_secs(1)).await;
        self.journals
    }
}

/// Runs an asynchronous test.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(test)
}

/// Asks again until `wanted` holds; packet threads do what they were sent in their own time.
pub(crate) async fn until<T, F: Future<Output = T>>(
    mut ask: impl FnMut() -> F,
    wanted: impl Fn(&T) -> bool,
) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let now = ask().await;
        if wanted(&now) {
            return now;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "what was waited for did not come"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

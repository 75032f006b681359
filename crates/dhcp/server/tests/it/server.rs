//! The service under test.

use crate::journal::Journals;
use purlin_dhcp_core::settings::{Network, Settings, Subnet};
use purlin_dhcp_server::{Handle, Running, ServerConfig, Switches, start};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// Networks 10.1.0.0/16, 10.2.0.0/16 ... with a pool each.
pub(crate) fn settings(networks: u8, threads: u16) -> Settings {
    Settings {
        enabled: true,
        listen: vec![SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)],
        threads: Some(threads),
        offer_hold: Duration::from_secs(60),
        decline_hold: Duration::from_secs(600),
        affinity: Duration::from_secs(600),
        conflict_wait: Duration::from_millis(50),
        networks: (1..=networks).map(|n| network(&format!("net-{n}"), n)).collect(),
        decisions: 1024,
        ..Settings::default()
    }
}

pub(crate) fn network(name: &str, n: u8) -> Network {
    let pool = format!("10.{n}.1.0-10.{n}.200.255").parse().expect("a range");
    let prefix = format!("10.{n}.0.0/16").parse().expect("a prefix");
    Network::of(Subnet::of(name, prefix, [pool]))
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

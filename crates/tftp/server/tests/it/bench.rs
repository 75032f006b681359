//! A running service over a folder of its own.

use purlin_fabric::port::Hints;
use purlin_tftp_client::{TransferError, TransferOptions, TransferReport, get};
use purlin_tftp_core::settings::{Settings, Threads};
use purlin_tftp_core::{Facts, Plan, RecordQuery, Told};
use purlin_tftp_files::{ClientFacts, Kernel, Library, NoFacts, Parts};
use purlin_tftp_server::cluster::Neighbours;
use purlin_tftp_server::{Handle, Running, ServerConfig, start};
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Knows everybody as one machine.
struct OneMachine;

impl ClientFacts for OneMachine {
    fn facts(&self, _: IpAddr) -> Option<Facts> {
        Some(Facts {
            mac: Some("02:00:00:00:00:01".parse().unwrap()),
            ..Facts::default()
        })
    }
}

/// The service, its folder, and a runtime for questions.
pub(crate) struct Bench {
    pub(crate) handle: Handle,
    pub(crate) folder: TempDir,
    pub(crate) runtime: Runtime,
    running: Option<Running>,
}

impl Bench {
    /// On a free port of loopback, two packet threads, over an empty folder.
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::made(change, Arc::new(NoFacts), None)
    }

    /// All clients are one machine.
    pub(crate) fn known(change: impl FnOnce(&mut Settings)) -> Self {
        Self::made(change, Arc::new(OneMachine), None)
    }

    /// One of several nodes that meet at `hints`.
    pub(crate) fn among(node: &str, hints: Arc<dyn Hints>, change: impl FnOnce(&mut Settings)) -> Self {
        Self::made(change, Arc::new(NoFacts), Some((node, hints)))
    }

    fn made(
        change: impl FnOnce(&mut Settings),
        facts: Arc<dyn ClientFacts>,
        meets: Option<(&str, Arc<dyn Hints>)>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            enabled: true,
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            threads: Threads::Count(2),
            ..Settings::default()
        };
        settings.files.root = Some(folder.path().to_owned());
        change(&mut settings);
        let plan = Plan::compile(&settings);
        let parts = Parts {
            plan: Arc::clone(&plan),
            facts,
            clock: Arc::new(|| purlin_netio::now().boot),
            shared: None,
            kernel: Kernel::default(),
        };
        let tree = Library::new(parts).unwrap();
        let neighbours = meets.map(|(node, hints)| Neighbours {
            node: node.to_owned(),
            hints,
            runtime: runtime.handle().clone(),
        });
        let config = ServerConfig {
            plan,
            tree,
            neighbours,
        };
        let (handle, running) = start(config).unwrap();
        Self {
            handle,
            folder,
            runtime,
            running: Some(running),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.handle.status().listen[0]
    }

    /// Puts a file of `size` octets into the folder; its content.
    pub(crate) fn file(&self, name: &str, size: usize) -> Vec<u8> {
        let octets: Vec<u8> = (0..size).map(|i| (i * 7 + i / 251) as u8).collect();
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &octets).unwrap();
        octets
    }

    pub(crate) fn options(&self) -> TransferOptions {
        TransferOptions {
            limit: Some(Duration::from_secs(30)),
            ..TransferOptions::new(self.address())
        }
    }

    /// The newest records, oldest first.
    pub(crate) fn records(&self) -> Vec<Told> {
        let query = RecordQuery {
            limit: 100,
            ..RecordQuery::default()
        };
        self.runtime.block_on(self.handle.records(query))
    }

    /// Waits until no transfer is open: a server learns of the last ACK a little after the client sent it.
    pub(crate) fn settle(&self) {
        while !self.runtime.block_on(self.handle.transfers(10)).is_empty() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop(Duration::from_secs(1)));
        }
    }
}

/// Reads a file; what came, with the report.
pub(crate) fn read(
    options: &TransferOptions,
    name: &str,
) -> (Vec<u8>, Result<TransferReport, TransferError>) {
    let mut octets = Vec::new();
    let report = get(options, name, &mut octets, &mut |_| ControlFlow::Continue(()));
    (octets, report)
}

/// The error code that a transfer was refused with.
pub(crate) fn refused(result: Result<TransferReport, TransferError>) -> (u16, String) {
    match result {
        Err(TransferError::Refused { code, text, .. } | TransferError::Ended { code, text, .. }) => {
            (code, text)
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

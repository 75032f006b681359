//! Real `ovsdb-server` processes in a folder of their own, killed at the end.

use purlin_ovsdb::client::{Client, Config, Endpoint};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const NB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/ovn-nb.ovsschema");
pub(crate) const DATABASE: &str = "OVN_Northbound";

/// One server of a standalone database, or one member of a cluster.
pub(crate) struct Server {
    child: Option<Child>,
    folder: PathBuf,
    name: String,
    arguments: Vec<String>,
}

/// Servers and the folder that they live in.
pub(crate) struct Rig {
    pub(crate) servers: Vec<Server>,
    _folder: TempDir,
}

/// Whether the programs are here; a test without them says so and passes.
pub(crate) fn is_here() -> bool {
    let there = Command::new("ovsdb-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if !there {
        eprintln!("skipped: ovsdb-server is not installed (`cargo xtask setup`)");
    }
    there
}

fn tool(folder: &Path, arguments: &[&str]) {
    let output = Command::new("ovsdb-tool")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl Rig {
    pub(crate) async fn standalone() -> Self {
        Self::standalone_of(Path::new(NB), &[]).await
    }

    pub(crate) async fn standalone_of(schema: &Path, extra: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        tool(folder.path(), &["create", "s1.db", schema.to_str().unwrap()]);
        let mut rig = Self {
            servers: vec![Server::new(folder.path(), "s1", extra)],
            _folder: folder,
        };
        rig.start(0).await;
        rig
    }

    /// Members that speak to each other over sockets of the folder.
    pub(crate) async fn cluster(members: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let raft = |n: usize| format!("unix:{}/s{n}.raft", folder.path().display());
        tool(
            folder.path(),
            &["--election-timer=1000", "create-cluster", "s1.db", NB, &raft(1)],
        );
        for n in 2..=members {
            tool(
                folder.path(),
                &["join-cluster", &format!("s{n}.db"), DATABASE, &raft(n), &raft(1)],
            );
        }
        let servers = (1..=members)
            .map(|n| Server::new(folder.path(), &format!("s{n}"), &[]))
            .collect();
        let mut rig = Self {
            servers,
            _folder: folder,
        };
        for at in 0..members {
            rig.start(at).await;
        }
        for server in &rig.servers {
            let joined = || {
                server
                    .ask(&["cluster/status", DATABASE])
                    .contains("Status: cluster member")
            };
            until("a member joins", joined).await;
        }
        rig
    }

    pub(crate) async fn start(&mut self, at: usize) {
        let server = &mut self.servers[at];
        server.start();
        let socket = server.socket();
        until("a server listens", || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        })
        .await;
    }

    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.servers
            .iter()
            .map(|server| Endpoint::Unix(server.socket()))
            .collect()
    }

    pub(crate) fn config(&self) -> Config {
        Config::new(DATABASE, self.endpoints())
    }

    pub(crate) fn client(&self) -> Client {
        Client::start(self.config())
    }

    /// What each member says of itself, asked over its control socket.
    pub(crate) async fn leader(&self) -> usize {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let leads = |server: &Server| {
                server.is_running() && server.ask(&["cluster/status", DATABASE]).contains("Role: leader")
            };
            if let Some(at) = self.servers.iter().position(leads) {
                return at;
            }
            assert!(Instant::now() < deadline, "no leader within 20 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Server {
    fn new(folder: &Path, name: &str, extra: &[String]) -> Self {
        let at = |ending: &str| format!("{}/{name}.{ending}", folder.display());
        let mut arguments = vec![
            "-vconsole:off".to_owned(),
            format!("--log-file={}", at("log")),
            format!("--unixctl={}", at("ctl")),
            format!("--remote=punix:{}", at("sock")),
        ];
        arguments.extend(extra.iter().cloned());
        arguments.push(at("db"));
        Self {
            child: None,
            folder: folder.to_owned(),
            name: name.to_owned(),
            arguments,
        }
    }

    fn start(&mut self) {
        let _ = fs::remove_file(self.socket());
        let mut command = Command::new("ovsdb-server");
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env("OVS_RUNDIR", &self.folder);
        self.child = Some(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(format!("{}.sock", self.name))
    }

    /// As if the power went.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Stops its threads, or lets them go on; its connections stay open.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn control(&self) -> PathBuf {
        self.folder.join(format!("{}.ctl", self.name))
    }

    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let control = self.control();
        let mut command = Command::new("ovs-appctl");
        command.arg("--timeout=5").arg("-t").arg(control).args(words);
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits for a condition, and fails when it does not come.
#[track_caller]
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !holds() {
            assert!(Instant::now() < deadline, "{place}: not within 20 s: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A future that must come within 20 s.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(value) = tokio::time::timeout(Duration::from_secs(20), future).await else {
        panic!("not within 20 s: {what}");
    };
    value
}

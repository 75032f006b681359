//! A real PostgreSQL with a database for each who asks; it ends with the test, however that ends.

#[path = "../../../store/postgres/tests/it/rig/need.rs"]
mod need;

use need::programs;
use purlin_api::ledger::Ledger;
use purlin_store_postgres::{Postgres, Settings, Target};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Ends the server when the input ends.
const GUARD: &str = r#"exec >>"$LOG" 2>&1; "$@" & server=$!; read -r _; kill -s QUIT $server; wait $server"#;
const MEMORY: &str = "/dev/shm";

pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    guard: Child,
    databases: AtomicU32,
}

impl Server {
    /// A new one; `None` where PostgreSQL is not installed, which the test then says.
    pub(crate) fn start() -> Option<Self> {
        if !need::met() {
            return None;
        }
        let found = programs().expect("asked just now");
        let parent = if Path::new(MEMORY).is_dir() {
            Path::new(MEMORY).to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = tempfile::Builder::new().prefix("purlin-pg-").tempdir_in(parent);
        let folder = folder.expect("a temporary folder");
        found.own(folder.path());
        let data = folder.path().join("data");
        let mut init = found.command(&found.path("initdb"));
        init.arg("-D").arg(&data);
        init.args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "--no-sync",
            "--no-locale",
            "-E",
            "UTF8",
        ]);
        let output = init.current_dir("/").output().expect("initdb runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let mut command: Command = found.command(Path::new("/bin/sh"));
        command.env("LOG", folder.path().join("log"));
        command.args(["-c", GUARD, "sh"]).arg(found.path("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        command.arg("-k").arg(folder.path());
        for option in [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "full_page_writes=off",
            "shared_buffers=16MB",
        ] {
            command.args(["-c", option]);
        }
        let guard = command.stdin(Stdio::piped()).current_dir("/").spawn();
        Some(Self {
            folder,
            port,
            guard: guard.expect("a shell"),
            databases: AtomicU32::new(0),
        })
    }

    /// A database that nobody has used: its address.
    pub(crate) fn database(&self) -> String {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let found = programs().expect("asked before");
        let mut command = found.command(&found.path("psql"));
        command.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "postgres",
            "-qc",
        ]);
        command.arg(format!("CREATE DATABASE {name}")).current_dir("/");
        let end = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            let output = command.output().expect("psql runs");
            if output.status.success() {
                return format!("postgresql://postgres@127.0.0.1:{}/{name}", self.port);
            }
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(std::time::Instant::now() < end, "{said}{log}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

/// The records of a database, by connections of one's own.
pub(crate) async fn ledger(url: &str) -> (Ledger, Postgres) {
    let mut settings = Settings::new(Target::parse(url).expect("an address"));
    settings.listen = true;
    settings.max_open = 2;
    let store = Postgres::connect(settings, |_| {}).await.expect("it answers");
    (Ledger::new(Arc::new(store.records())), store)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

//! A standalone server in a temporary folder, killed at the end.

use crate::Outcome;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Server {
    child: Child,
    _folder: TempDir,
    /// HOST:PORT.
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/ovn-nb.ovsschema");
        let made = Command::new("ovsdb-tool")
            .args(["create", "db", schema])
            .current_dir(folder.path())
            .status()?;
        assert!(made.success(), "ovsdb-tool makes a database");
        let log = folder.path().join("log");
        let child = Command::new("ovsdb-server")
            .args([
                "-vconsole:off",
                "--remote=ptcp:0:127.0.0.1",
                "--unixctl=ctl",
                "--log-file=log",
                "db",
            ])
            .current_dir(folder.path())
            .env("OVS_RUNDIR", folder.path())
            .stderr(Stdio::null())
            .spawn()?;
        let deadline = Instant::now() + Duration::from_secs(10);
        let port = loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if let Some((_, rest)) = text.split_once("listening on port ") {
                break rest.chars().take_while(char::is_ascii_digit).collect::<String>();
            }
            assert!(Instant::now() < deadline, "the server says its port within 10 s");
            std::thread::yield_now();
        };
        Ok(Self {
            child,
            _folder: folder,
            address: format!("127.0.0.1:{port}"),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Seconds of processor time that the server has used.
    pub(crate) fn cpu(&self) -> Outcome<f64> {
        cpu(&self.child.id().to_string())
    }
}

/// Seconds of processor time that a process has used; what a machine that does other work leaves comparable.
pub(crate) fn cpu(process: &str) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("a name in brackets")?;
    let mut ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    let (user, system) = (
        ticks.next().ok_or("user time")??,
        ticks.next().ok_or("system time")??,
    );
    // The kernel counts a hundred ticks a second for every architecture that it tells programs of.
    Ok(f64::from(user + system) / 100.0)
}

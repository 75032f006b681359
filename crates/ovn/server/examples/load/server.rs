//! A standalone server with both databases in a temporary folder, killed at the end.

use crate::Outcome;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Server {
    child: Child,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/../ovsdb/schemas");
        for name in ["nb", "sb"] {
            let made = Command::new("ovsdb-tool")
                .args(["create", name, &format!("{schemas}/ovn-{name}.ovsschema")])
                .current_dir(folder.path())
                .status()?;
            assert!(made.success(), "ovsdb-tool makes a database");
        }
        let child = Command::new("ovsdb-server")
            .args([
                "-vconsole:off",
                "--remote=punix:db.sock",
                "--unixctl=ctl",
                "nb",
                "sb",
            ])
            .current_dir(folder.path())
            .env("OVS_RUNDIR", folder.path())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { child, folder };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !server.folder.path().join("db.sock").exists() {
            assert!(Instant::now() < deadline, "the server listens within 10 s");
            std::thread::yield_now();
        }
        Ok(server)
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("unix:{}", self.folder.path().join("db.sock").display())
    }

    /// Seconds of processor time that it has used.
    pub(crate) fn cpu(&self) -> Outcome<f64> {
        cpu(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

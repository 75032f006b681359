//! Databases that a node starts by itself: those of the packages, or a northbound in this process.
//!
//! ```text
//!   packaged     DATA/ovn/nb.db sb.db ─ ovsdb-server ─ DATA/ovn/db.sock ◄─ ovn-northd, this node, ovn-nbctl
//!   in_process   DATA/ovn/nb.db       ─ this process ─ DATA/ovn/db.sock ◄─ this node, ovn-nbctl
//! ```

use super::Tell;
use crate::exit::{Failure, chain};
use purlin_ovn_embedded::{LogError, Server, serve};
use purlin_ovn_server::find_program;
use purlin_ovn_server::settings::Own;
use purlin_ovsdb::client::Endpoint;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// Before a program that has ended is started again.
const PAUSE: Duration = Duration::from_secs(1);
const SCHEMAS: &str = "/usr/share/ovn";

/// Running databases.
#[derive(Debug)]
pub(super) struct OwnDatabases {
    folder: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Packaged(Box<Mutex<[Program; 2]>>),
    InProcess(Mutex<JoinHandle<Result<(), LogError>>>),
}

/// A program that is started again when it ends.
#[derive(Debug)]
struct Program {
    name: &'static str,
    arguments: Vec<String>,
    child: Child,
}

impl OwnDatabases {
    pub(super) async fn start(which: Own, folder: &Path) -> Result<Self, Failure> {
        crate::up::prepare_data_dir(folder)?;
        let installed = ["ovsdb-tool", "ovsdb-server", "ovn-northd"]
            .iter()
            .all(|name| find_program(name).is_some());
        let kind = match which {
            Own::Packaged if !installed => {
                return Err(Failure::failed(
                    "ovn.own = \"packaged\": ovsdb-tool, ovsdb-server and ovn-northd are not all installed",
                    "apt install ovn-central, or set ovn.own = \"in_process\"",
                ));
            }
            Own::Packaged => packaged(folder).await?,
            Own::Auto if installed => packaged(folder).await?,
            Own::Auto | Own::InProcess => in_process(folder)?,
        };
        let folder = folder.to_owned();
        Ok(Self { folder, kind })
    }

    pub(super) const fn origin(&self) -> &'static str {
        match self.kind {
            Kind::Packaged(_) => "the packaged ovsdb-server and ovn-northd, started by this node",
            Kind::InProcess(_) => "a northbound in this process, which nobody turns into flows",
        }
    }

    /// Whether the northbound is in this process, without a southbound that ovn-northd could write.
    pub(super) const fn is_in_process(&self) -> bool {
        matches!(self.kind, Kind::InProcess(_))
    }

    pub(super) fn northbound(&self) -> Vec<Endpoint> {
        vec![Endpoint::Unix(socket(&self.folder))]
    }

    pub(super) fn southbound(&self) -> Vec<Endpoint> {
        match self.kind {
            Kind::Packaged(_) => self.northbound(),
            Kind::InProcess(_) => Vec::new(),
        }
    }

    /// Control sockets of the programs.
    pub(super) fn controls(&self) -> Vec<PathBuf> {
        match self.kind {
            Kind::Packaged(_) => ["db.ctl", "northd.ctl"]
                .map(|name| self.folder.join(name))
                .to_vec(),
            Kind::InProcess(_) => Vec::new(),
        }
    }

    /// Where each database is kept.
    pub(super) fn files(&self) -> Vec<(String, PathBuf)> {
        let all = [(super::NORTHBOUND, "nb.db"), (super::SOUTHBOUND, "sb.db")];
        let kept = match self.kind {
            Kind::Packaged(_) => &all[..],
            Kind::InProcess(_) => &all[..1],
        };
        let path = |(database, file): &(&str, &str)| ((*database).to_owned(), self.folder.join(file));
        kept.iter().map(path).collect()
    }

    /// Starts again what ends; comes back when that is of no use.
    pub(super) async fn watch(&self, tell: Tell<'_>) -> Failure {
        match &self.kind {
            Kind::InProcess(server) => match (&mut *server.lock().await).await {
                Ok(Ok(())) | Err(_) => Failure::failed(
                    "the northbound in this process has ended",
                    "see the log, then start again",
                ),
                Ok(Err(cause)) => Failure::failed(
                    format!("the northbound in this process cannot be kept: {}", chain(&cause)),
                    "make room on the disk, then start again",
                ),
            },
            Kind::Packaged(programs) => loop {
                let mut programs = programs.lock().await;
                for program in programs.iter_mut() {
                    if let Ok(Some(status)) = program.child.try_wait() {
                        let text = format!("{} has ended ({status}) and is started again", program.name);
                        tell("ovn", "restarted", &text);
                        if let Ok(child) = spawn(program.name, &program.arguments) {
                            program.child = child;
                        }
                    }
                }
                drop(programs);
                tokio::time::sleep(PAUSE).await;
            },
        }
    }

    pub(super) async fn stop(&self) {
        match &self.kind {
            Kind::Packaged(programs) => {
                // northd first: it would complain about the database.
                for program in programs.lock().await.iter_mut().rev() {
                    // One that has ended already needs no more.
                    let _ = program.child.kill().await;
                }
            }
            Kind::InProcess(server) => {
                // Every answered write is on disk already.
                if let Ok(server) = server.try_lock() {
                    server.abort();
                }
            }
        }
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("db.sock")
}

async fn packaged(folder: &Path) -> Result<Kind, Failure> {
    let at = |name: &str| folder.join(name).display().to_string();
    for name in ["nb", "sb"] {
        let (file, schema) = (
            at(&format!("{name}.db")),
            format!("{SCHEMAS}/ovn-{name}.ovsschema"),
        );
        if Path::new(&file).exists() {
            continue;
        }
        let made = Command::new(find_program("ovsdb-tool").unwrap_or_else(|| "ovsdb-tool".into()))
            .args(["create", &file, &schema])
            .output()
            .await?;
        if !made.status.success() {
            let told = String::from_utf8_lossy(&made.stderr);
            return Err(Failure::failed(
                format!("ovsdb-tool made no database at {file}: {}", told.trim()),
                "look at the packages ovn-central and openvswitch-common",
            ));
        }
    }
    let remote = format!("unix:{}", socket(folder).display());
    let server = vec![
        format!("--remote=p{remote}"),
        format!("--unixctl={}", at("db.ctl")),
        format!("--log-file={}", at("ovsdb-server.log")),
        at("nb.db"),
        at("sb.db"),
    ];
    let northd = vec![
        format!("--ovnnb-db={remote}"),
        format!("--ovnsb-db={remote}"),
        format!("--unixctl={}", at("northd.ctl")),
        format!("--log-file={}", at("ovn-northd.log")),
    ];
    Ok(Kind::Packaged(Box::new(Mutex::new([
        program("ovsdb-server", server)?,
        program("ovn-northd", northd)?,
    ]))))
}

fn program(name: &'static str, arguments: Vec<String>) -> Result<Program, Failure> {
    let child = spawn(name, &arguments).map_err(|cause| {
        let what = format!("starting {name} failed: {cause}");
        Failure::failed(what, "set ovn.own = \"in_process\", or ovn.enabled = false")
    })?;
    Ok(Program {
        name,
        arguments,
        child,
    })
}

/// A child that ends with this process, however that ends.
fn spawn(name: &str, arguments: &[String]) -> std::io::Result<Child> {
    let found = find_program(name).unwrap_or_else(|| PathBuf::from(name));
    Command::new("setpriv")
        .args(["--pdeathsig", "TERM"])
        .arg(found)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

fn in_process(folder: &Path) -> Result<Kind, Failure> {
    let failed = |cause: &dyn std::error::Error| {
        let what = format!("the northbound in this process cannot start: {}", chain(cause));
        Failure::failed(what, "see docs/operating/ovn.md")
    };
    let schema = serde_json::from_str(purlin_ovsdb::schemas::NB).expect("it is part of the program");
    let mut server = Server::new(Box::new(|| {
        let mut octets = [0; 16];
        getrandom::fill(&mut octets).expect("the system has random octets");
        octets
    }));
    server
        .open(&schema, &folder.join("nb.db"))
        .map_err(|cause| failed(&cause))?;
    let (door, running) = serve(server);
    door.unix(&socket(folder)).map_err(|cause| failed(&cause))?;
    Ok(Kind::InProcess(Mutex::new(tokio::spawn(running))))
}

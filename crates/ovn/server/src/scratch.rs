//! Copies of both databases beside the real ones, with an ovn-northd of their own: what would be, without anybody noticing.
//!
//! ```text
//!   northbound, southbound ── rows in memory ──► FOLDER/nb.db sb.db ── ovsdb-server ── FOLDER/s ◄── ovn-northd, a platform
//! ```
//!
//! The programs end with the handle, with the request that holds it, and with this process, however that ends. The folder
//! goes with the handle; what a killed process left is swept at the next start.

mod seed;

use crate::platform::{Platform, Settings, new_uuid};
use crate::programs::{Tools, busy, command, find};
use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovsdb::client::{Config, Endpoint, Snapshot};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Child;
use tokio::sync::SemaphorePermit;

/// How long a request waits for its turn: one scratch at a time.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the servers may take to be reached.
const READY: Duration = Duration::from_secs(20);
/// A path of a Unix socket, with its ending (unix(7)).
const SOCKET_MAX: usize = 107;

const NORTHBOUND: &str = "OVN_Northbound";
const SOUTHBOUND: &str = "OVN_Southbound";

/// A whole OVN without hypervisors, for the time of a request.
#[derive(Debug)]
pub(crate) struct Scratch<'p> {
    pub(crate) platform: Platform,
    // In this order: northd would complain about its database.
    _northd: Child,
    _server: Child,
    _folder: Folder,
    _turn: SemaphorePermit<'p>,
}

/// A folder that goes with its handle.
#[derive(Debug)]
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is swept at the next start.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Takes away what a process that was killed has left.
pub(crate) fn sweep(folder: &Path) {
    if folder.is_absolute() {
        // Most often there is nothing.
        let _ = std::fs::remove_dir_all(folder);
    }
}

impl<'p> Scratch<'p> {
    /// Starts with copies of these rows; without a southbound, northd makes one.
    ///
    /// # Errors
    /// 503 where a program is missing or no turn came; 502 when a program does not start.
    pub(crate) async fn start(
        of: &'p Platform,
        north: Snapshot,
        south: Option<Snapshot>,
    ) -> Result<Self, Problem> {
        let (server, northd) = (find("ovsdb-server")?, find("ovn-northd")?);
        let turn = tokio::time::timeout(PATIENCE, of.programs().scratch_turn()).await;
        let turn = turn.ok().flatten().ok_or_else(|| busy("what-if"))?;
        let folder = folder(&of.programs().tools().folder)?;
        let at = folder.0.clone();
        let written = tokio::task::spawn_blocking(move || seed::write(&at, &north, south.as_ref())).await;
        written.map_err(|cause| Problem::broken(cause.to_string()))??;
        let path = |name: &str| folder.0.join(name).display().to_string();
        let remote = format!("unix:{}", path("s"));
        let quiet = ["-vconsole:off", "-vsyslog:off"].map(str::to_owned);
        let mut arguments = vec![
            format!("--remote=p{remote}"),
            format!("--unixctl={}", path("s.ctl")),
        ];
        arguments.extend(quiet.clone());
        arguments.extend([path("nb.db"), path("sb.db")]);
        let server = spawn(&server, &arguments, &folder.0)?;
        let mut arguments = vec![
            format!("--ovnnb-db={remote}"),
            format!("--ovnsb-db={remote}"),
            format!("--unixctl={}", path("n.ctl")),
        ];
        arguments.extend(quiet);
        let northd = spawn(&northd, &arguments, &folder.0)?;
        let endpoints = vec![Endpoint::Unix(folder.0.join("s"))];
        let scratch = Self {
            platform: Platform::start(Settings {
                northbound: Config::new(NORTHBOUND, endpoints.clone()),
                southbound: Some(Config::new(SOUTHBOUND, endpoints)),
                origin: "a copy for one request",
                unattended: false,
                tools: Tools::default(),
            }),
            _northd: northd,
            _server: server,
            _folder: folder,
            _turn: turn,
        };
        scratch.ready().await?;
        Ok(scratch)
    }

    /// Both copies are followed, and northd counts.
    async fn ready(&self) -> Result<(), Problem> {
        let north = &self.platform.north().rows;
        let south = &self.platform.south()?.rows;
        let counts = |rows: &Snapshot| {
            rows.is_live() && rows.table("NB_Global").is_some_and(|table| !table.is_empty())
        };
        let both = async { (north.when(counts).await, south.live().await) };
        match tokio::time::timeout(READY, both).await {
            Ok(_) => Ok(()),
            Err(_) => {
                let why = self.platform.readiness().err().unwrap_or_default();
                let detail = format!("the copies did not come up within {} s: {why}", READY.as_secs());
                Err(Problem::new(
                    StatusCode::GATEWAY_TIMEOUT,
                    &reasons::TOOL_TOO_SLOW,
                    detail,
                ))
            }
        }
    }
}

fn folder(parent: &Path) -> Result<Folder, Problem> {
    let name = new_uuid()?.to_string();
    let folder = parent.join(&name[..8]);
    let socket = folder.join("s").as_os_str().len();
    if socket > SOCKET_MAX || !folder.is_absolute() {
        let detail = format!(
            "{} is no place for a socket: paths of sockets have at most {SOCKET_MAX} octets; use a shorter data directory",
            folder.display()
        );
        return Err(Problem::not_possible(detail));
    }
    let made = std::fs::create_dir_all(&folder).and_then(|()| private(&folder));
    made.map_err(|cause| Problem::broken(format!("making {}: {cause}", folder.display())))?;
    Ok(Folder(folder))
}

/// Who may not read the databases may not read their copies either.
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

fn spawn(program: &Path, arguments: &[String], folder: &Path) -> Result<Child, Problem> {
    command(program, arguments)
        .current_dir(folder)
        .env("OVN_RUNDIR", folder)
        .env("OVS_RUNDIR", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|cause| {
            let detail = format!("starting {}: {cause}", program.display());
            Problem::new(StatusCode::BAD_GATEWAY, &reasons::TOOL_FAILED, detail)
        })
}

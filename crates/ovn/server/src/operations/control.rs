//! The control sockets of this machine, and what their programs say.

use futures_util::future::join_all;
use purlin_ovsdb::client::unixctl::raft::RaftStatus;
use purlin_ovsdb::client::unixctl::{self, ControlError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a program may take: it answers between two of its rounds.
const PATIENCE: Duration = Duration::from_secs(1);

/// One program.
#[derive(Debug, Clone)]
pub(super) struct Control {
    pub(super) socket: PathBuf,
    pub(super) program: Program,
}

#[derive(Debug, Clone)]
pub(super) enum Program {
    Server(Server),
    Northd(NorthdProcess),
}

/// An `ovsdb-server`.
#[derive(Debug, Clone, Default)]
pub(super) struct Server {
    /// Each database that it has; of those in a cluster, its view.
    pub(super) databases: BTreeMap<String, Option<RaftStatus>>,
    /// `memory/show`: sessions, atoms, monitors, ...
    pub(super) memory: BTreeMap<String, u64>,
}

/// An `ovn-northd`.
#[derive(Debug, Clone, Default)]
pub(super) struct NorthdProcess {
    pub(super) version: String,
    /// `active`, `standby`, `paused`.
    pub(super) status: String,
    pub(super) north: String,
    pub(super) south: String,
}

/// Asks all programs at once. A socket behind which nobody is, or another program, is left out.
pub(super) async fn look(places: &[PathBuf]) -> Vec<Control> {
    let asked = places.iter().flat_map(|place| sockets(place)).map(one);
    join_all(asked).await.into_iter().flatten().collect()
}

/// The socket itself, or those of a folder: `ovnnb_db.ctl`, `ovn-northd.1234.ctl`.
fn sockets(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place) else {
        return vec![place.to_owned()];
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut sockets: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "ctl"))
        .collect();
    sockets.sort_unstable();
    sockets
}

async fn one(socket: PathBuf) -> Option<Control> {
    let version = call(&socket, "version", &[]).await.ok()?;
    let first = version.lines().next().unwrap_or_default();
    let program = if first.starts_with("ovsdb-server ") {
        Program::Server(server(&socket).await.ok()?)
    } else if first.starts_with("ovn-northd ") {
        Program::Northd(northd(&socket, first).await.ok()?)
    } else {
        return None;
    };
    Some(Control { socket, program })
}

async fn server(socket: &Path) -> Result<Server, ControlError> {
    let listed = call(socket, "ovsdb-server/list-dbs", &[]).await?;
    let names = listed
        .lines()
        .map(str::trim)
        .filter(|name| !name.starts_with('_'));
    let mut databases = BTreeMap::new();
    for name in names {
        // One that is in no cluster is refused.
        let status = call(socket, "cluster/status", &[name]).await.ok();
        let status = status.as_deref().and_then(RaftStatus::parse);
        databases.insert(name.to_owned(), status);
    }
    let memory = call(socket, "memory/show", &[]).await.unwrap_or_default();
    Ok(Server {
        databases,
        memory: counts(&memory),
    })
}

async fn northd(socket: &Path, version: &str) -> Result<NorthdProcess, ControlError> {
    let status = call(socket, "status", &[]).await?;
    let word = async |command| {
        let said = call(socket, command, &[]).await.unwrap_or_default();
        said.trim().to_owned()
    };
    Ok(NorthdProcess {
        version: version.trim_start_matches("ovn-northd ").to_owned(),
        status: status.trim().trim_start_matches("Status: ").to_owned(),
        north: word("nb-connection-status").await,
        south: word("sb-connection-status").await,
    })
}

/// `atoms:35 cells:34 sessions:1`.
fn counts(text: &str) -> BTreeMap<String, u64> {
    let count = |word: &str| {
        let (name, count) = word.split_once(':')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    text.split_whitespace().filter_map(count).collect()
}

pub(super) async fn call(socket: &Path, command: &str, arguments: &[&str]) -> Result<String, ControlError> {
    unixctl::call(socket, command, arguments, PATIENCE).await
}

/// For what changes something: a compaction of a large database takes its time.
pub(super) async fn call_patiently(
    socket: &Path,
    command: &str,
    arguments: &[&str],
) -> Result<String, ControlError> {
    unixctl::call(socket, command, arguments, PATIENCE * 60).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_sockets() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.ctl", "a.1234.ctl", "nb.pid"] {
            std::fs::write(folder.path().join(name), "").expect("there is room");
        }
        let names = ["a.1234.ctl", "b.ctl"].map(|name| folder.path().join(name));
        assert_eq!(sockets(folder.path()), names);
        let alone = folder.path().join("b.ctl");
        assert_eq!(sockets(&alone), std::slice::from_ref(&alone));
    }

    #[test]
    fn counts_are_read_and_words_passed_over() {
        let counts = counts("atoms:35 cells:x sessions:1\n");
        assert_eq!(counts.get("atoms"), Some(&35));
        assert_eq!(counts.get("cells"), None);
    }
}

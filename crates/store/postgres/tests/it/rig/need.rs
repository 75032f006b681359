//! PostgreSQL's programs, and how a test says that they are missing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// File to which skipped tests are written, for the sum at the end of `cargo xtask test`.
const SKIPS: &str = "PURLIN_TEST_SKIPS";

/// Where Debian keeps servers that are not on the path, a folder per version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The server's programs, and as whom they run: it refuses root.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    user: Option<User>,
}

#[derive(Debug)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

/// Whether servers can be started here. If not, says so; the test then returns.
pub(crate) fn met() -> bool {
    match programs() {
        Ok(_) => true,
        Err(reason) => {
            skip(reason);
            false
        }
    }
}

pub(crate) fn programs() -> Result<&'static Programs, &'static str> {
    static FOUND: OnceLock<Result<Programs, &'static str>> = OnceLock::new();
    FOUND.get_or_init(find).as_ref().map_err(|reason| *reason)
}

fn find() -> Result<Programs, &'static str> {
    let folder = on_path().or_else(newest).ok_or("not installed: postgresql")?;
    let user = if id(&["-u"]).as_deref() == Some("0") {
        let user = ["postgres", "nobody"].into_iter().find_map(user);
        Some(user.ok_or("PostgreSQL refuses root and there is no other user")?)
    } else {
        None
    };
    Ok(Programs { folder, user })
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut folders = path.split(':').map(PathBuf::from);
    folders.find(|folder| complete(folder))
}

fn newest() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?.flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .filter(|(_, folder)| complete(folder))
        .collect();
    folders.sort();
    folders.pop().map(|(_, folder)| folder)
}

fn complete(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_basebackup"]
        .iter()
        .all(|name| folder.join(name).is_file())
}

fn user(name: &str) -> Option<User> {
    Some(User {
        name: name.to_owned(),
        uid: id(&["-u", name])?.parse().ok()?,
        gid: id(&["-g", name])?.parse().ok()?,
    })
}

fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    (output.status.success()).then(|| said.trim().to_owned())
}

impl Programs {
    /// A command that runs as the server's user.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Some(user) = &self.user else {
            return Command::new(program);
        };
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", user.name))
            .arg(format!("--regid={}", user.gid))
            .args(["--clear-groups", "--"])
            .arg(program);
        command
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// Makes a folder the server user's own.
    pub(crate) fn own(&self, folder: &Path) {
        if let Some(user) = &self.user {
            std::os::unix::fs::chown(folder, Some(user.uid), Some(user.gid)).expect("root may");
        }
    }
}

fn skip(reason: &str) {
    // The harness runs every test on a thread of its name.
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    assert!(!ci, "{name} cannot run: {reason}");
    // Not `eprintln`: the harness keeps that to itself when a test passes.
    let _ = writeln!(std::io::stderr(), "skipped {name}: {reason}");
    if let Some(file) = std::env::var_os(SKIPS) {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
        // Only the sum at the end suffers when this cannot be written.
        let _ = opened.and_then(|mut file| writeln!(file, "{name}: {reason}"));
    }
}

//! Into the background: the program starts itself once more, and ends when that copy is ready.
//!
//! The copy tells over its standard output where its socket is (which is printed), and then that it is connected.

use super::direct::plain;
use super::{Called, FAILED, OK, print};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set in the copy's environment.
const MARK: &str = "PURLIN_NBCTL_DETACHED";
/// What the copy says when it is ready.
const READY: &str = "ready";

/// Which of the two processes this is.
pub(super) enum Stage {
    /// The one that was called: the copy is ready, or has failed.
    Ended(u8),
    /// The copy.
    Background(Ready),
}

/// The copy's word to the process that waits for it.
pub(super) struct Ready;

pub(super) fn stage(called: &Called<'_>) -> Result<Stage, String> {
    if std::env::var_os(MARK).is_some() {
        // It leads a session already when a service manager started it.
        let _ = rustix::process::setsid();
        return Ok(Stage::Background(Ready));
    }
    let failed = |cause: &std::io::Error| format!("could not fork ({})", plain(cause));
    let program = std::env::current_exe().map_err(|cause| failed(&cause))?;
    let mut child = Command::new(program)
        .arg0("ovn-nbctl")
        .args(called.words)
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| failed(&cause))?;
    let output = child.stdout.take().expect("its output was asked for");
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if line == READY {
            return Ok(Stage::Ended(OK));
        }
        print(&format!("{line}\n"));
    }
    // It has said why, on the standard error that both share.
    let status = child.wait().map_err(|cause| failed(&cause))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(Stage::Ended(code.filter(|code| *code != OK).unwrap_or(FAILED)))
}

impl Ready {
    /// A line for whoever called the program.
    pub(super) fn tell(&self, line: &str) {
        print(&format!("{line}\n"));
    }

    /// Lets the waiting process end, and lets go of the terminal.
    pub(super) fn done(&mut self, stay: bool) {
        self.tell(READY);
        if let Ok(nothing) = OpenOptions::new().read(true).write(true).open("/dev/null") {
            // Standard streams that stay open do no harm but to whoever waits for their end.
            let _ = rustix::stdio::dup2_stdin(&nothing);
            let _ = rustix::stdio::dup2_stdout(&nothing);
            let _ = rustix::stdio::dup2_stderr(&nothing);
        }
        if !stay {
            let _ = std::env::set_current_dir("/");
        }
    }
}

/// A file with the number of this process, as long as it runs.
pub(super) struct PidFile(PathBuf);

impl PidFile {
    pub(super) fn write(path: PathBuf, overwrite: bool) -> Result<Self, String> {
        if let Some(pid) = running(&path).filter(|_| !overwrite) {
            let path = path.display();
            return Err(format!("{path}: already running as pid {pid}, aborting"));
        }
        let shown = path.display();
        let mut file =
            File::create(&path).map_err(|cause| format!("{shown}: create failed ({})", plain(&cause)))?;
        writeln!(file, "{}", std::process::id())
            .map_err(|cause| format!("{shown}: write failed ({})", plain(&cause)))?;
        Ok(Self(path))
    }
}

/// The process that a file names, if it lives.
fn running(path: &Path) -> Option<u32> {
    let pid: u32 = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
    Path::new(&format!("/proc/{pid}")).exists().then_some(pid)
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

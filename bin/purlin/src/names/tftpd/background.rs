//! In the background: start, stop and reload by the process that the node's own file names.

use super::{Serve, document};
use crate::cli::Context;
use crate::client::NodeFile;
use crate::exit::{Exit, Failure, Outcome};
use crate::up;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const LOG: &str = "tftpd.log";
/// A cold start with a large configuration takes seconds.
const START: Duration = Duration::from_secs(30);
/// Open transfers may finish; the node's own grace period ends before.
const STOP: Duration = Duration::from_secs(60);
/// Lines of the log that are shown when it does not come up.
const TOLD: usize = 8;

/// The process that runs from this data directory.
pub(super) fn running(context: &Context) -> Option<NodeFile> {
    NodeFile::read(context.data_dir()).filter(NodeFile::is_alive)
}

pub(super) fn not_running(context: &Context) -> Failure {
    Failure::new(
        Exit::NotFound,
        format!("nothing runs from {}", context.data_dir().display()),
        "simple-tftpd-datacenter start, or name another --data-dir",
    )
}

pub(super) fn start(wanted: &Serve, context: &Context) -> Outcome {
    if let Some(node) = running(context) {
        let what = format!("it runs already, as process {}", node.pid);
        return Err(Failure::new(Exit::Conflict, what, "simple-tftpd-datacenter stop"));
    }
    // Faults of the file are told here, not in the log.
    if let Some(file) = &wanted.config {
        document::examine(file)?;
    }
    up::prepare_data_dir(context.data_dir())?;
    document::prepare(wanted, context.data_dir())?;
    let log = context.data_dir().join(LOG);
    let (ready, name) = ready_socket()?;
    let child = spawn(wanted, context.data_dir(), &log, &name)?;
    let ended = pidfd(child.id())?;
    if !readable(&[ended.as_fd(), ready.as_fd()], START)? {
        let what = format!("it is not up after {START:?}");
        return Err(Failure::failed(what, format!("see {}", log.display())));
    }
    if readable(&[ended.as_fd()], Duration::ZERO)? {
        let last = std::fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = last.lines().collect();
        let told = &lines[lines.len().saturating_sub(TOLD)..];
        let failure = Failure::failed("it ended at once", format!("see {}", log.display()));
        return Err(failure.with_details(told.iter().map(|line| (*line).to_owned()).collect()));
    }
    say!("started as process {}, log in {}", child.id(), log.display());
    Ok(Exit::Ok)
}

/// Where the node says that it is ready, as it does to a service manager; with the name for its environment.
fn ready_socket() -> Result<(UnixDatagram, String), Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let name = format!("purlin-tftpd-{}-{}", std::process::id(), since.as_nanos());
    let address = SocketAddr::from_abstract_name(&name)?;
    Ok((UnixDatagram::bind_addr(&address)?, format!("@{name}")))
}

/// A descriptor that becomes readable when the process ends, also one that is no child of ours.
fn pidfd(pid: u32) -> Result<OwnedFd, Failure> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Failure::failed("node.json names no process", "remove it"))?;
    pidfd_open(pid, PidfdFlags::empty()).map_err(|cause| Failure::from(std::io::Error::from(cause)))
}

/// Waits until one of them can be read; false when the time is over.
fn readable(these: &[BorrowedFd<'_>], within: Duration) -> Result<bool, Failure> {
    let mut waited: Vec<PollFd<'_>> = these
        .iter()
        .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
        .collect();
    let timeout = Timespec::try_from(within).map_err(|_| Failure::failed("the wait is too long", ""))?;
    let count = poll(&mut waited, Some(&timeout)).map_err(std::io::Error::from)?;
    Ok(count > 0)
}

/// What runs in the foreground elsewhere, in a process of its own group, so that Ctrl-C here does not reach it.
fn spawn(wanted: &Serve, data_dir: &Path, log: &Path, ready: &str) -> Result<Child, Failure> {
    let file = OpenOptions::new().create(true).append(true).open(log)?;
    let config = wanted
        .config
        .iter()
        .flat_map(|file| [OsStr::new("--config"), file.as_os_str()]);
    let root = wanted
        .root
        .iter()
        .flat_map(|tree| [OsStr::new("--root"), tree.as_os_str()]);
    let listen = wanted
        .listen
        .iter()
        .flat_map(|address| ["--listen".to_owned(), address.to_string()]);
    let child = Command::new(std::env::current_exe()?)
        .args(["as", "simple-tftpd-datacenter", "--quiet"])
        .args(config)
        .args(root)
        .args(listen)
        .arg("--data-dir")
        .arg(data_dir)
        .env("NOTIFY_SOCKET", ready)
        .env_remove("WATCHDOG_USEC")
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .process_group(0)
        .spawn()?;
    Ok(child)
}

pub(super) fn stop(context: &Context) -> Outcome {
    let node = running(context).ok_or_else(|| not_running(context))?;
    let ended = signal(&node, context, Signal::TERM)?;
    if !readable(&[ended.as_fd()], STOP)? {
        let what = format!("process {} has not ended after {STOP:?}", node.pid);
        return Err(Failure::failed(
            what,
            "open transfers may still run; a second SIGTERM ends them",
        ));
    }
    say!("stopped");
    Ok(Exit::Ok)
}

pub(super) fn reload(context: &Context) -> Outcome {
    let node = running(context).ok_or_else(|| not_running(context))?;
    if let Some(file) = document::source(context.data_dir())? {
        document::examine(&file)?;
    }
    document::renew(context.data_dir())?;
    signal(&node, context, Signal::HUP)?;
    say!(
        "asked process {} to read its configuration again; what it makes of it is in its log",
        node.pid
    );
    Ok(Exit::Ok)
}

/// Returns the descriptor that tells of its end.
fn signal(node: &NodeFile, context: &Context, signal: Signal) -> Result<OwnedFd, Failure> {
    let process = pidfd(node.pid)?;
    // From here on the descriptor stands for one process, so what is asked now holds when the signal goes out.
    if !node.is_alive() {
        return Err(not_running(context));
    }
    pidfd_send_signal(&process, signal).map_err(|cause| {
        Failure::new(
            Exit::Denied,
            format!("process {} cannot be signalled: {cause}", node.pid),
            "run as its owner",
        )
    })?;
    Ok(process)
}

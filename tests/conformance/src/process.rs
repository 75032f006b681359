//! A program running in a namespace, with everything it says in a file.

use crate::wait::{LIMIT, until, within};
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// A running program; ended when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with both outputs in `log`.
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).expect("the laboratory's folder can be written");
        let again = file.try_clone().expect("a file can be opened twice");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(again).spawn();
        let child = child.unwrap_or_else(|cause| panic!("cannot start {command:?}: {cause}"));
        Self { child, log }
    }

    /// A command that a test made, begun with both outputs in `log`.
    #[must_use]
    pub fn begun(command: Command, log: PathBuf) -> Self {
        Self::start(command, log)
    }

    /// Process id; `ip netns exec` has become the program itself.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything said so far.
    #[must_use]
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it has said something in which `find` finds what is wanted.
    ///
    /// # Panics
    ///
    /// When it ends or [`LIMIT`] passes before; with all that it has said.
    pub fn until<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let mut ended = false;
        let found = within(LIMIT, || {
            // Looked at before the output, so that the last words are read too.
            ended = !self.is_running();
            find(&self.said()).map(Some).or_else(|| ended.then_some(None))
        });
        let why = if ended {
            "it ended before"
        } else {
            "it took too long"
        };
        found
            .flatten()
            .unwrap_or_else(|| panic!("no {what}: {why}\n{}", self.said()))
    }

    /// The address after `words`, as soon as it is said.
    pub fn address_after(&mut self, words: &str) -> Ipv4Addr {
        self.until(&format!("address after {words:?}"), |text| said(text, words))
    }

    /// Sends a signal by its name (`TERM`).
    pub fn signal(&self, name: &str) {
        kill(self.id(), name);
    }

    /// Waits for its own end; `true` when it succeeded.
    pub fn ended(&mut self) -> bool {
        until("a program ended", || !self.is_running());
        self.child.wait().is_ok_and(|status| status.success())
    }

    /// Ends it at once, as a crash would (SIGKILL).
    pub fn crash(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            self.signal("TERM");
            let gone = within(std::time::Duration::from_secs(3), || {
                (!self.is_running()).then_some(())
            });
            if gone.is_none() {
                self.crash();
            }
        }
    }
}

/// Sends a signal to a process of ours.
pub fn kill(pid: u32, signal: &str) {
    let _ = Command::new("kill")
        .args([format!("-{signal}"), pid.to_string()])
        .status();
}

/// Runs a command to its end.
///
/// # Panics
///
/// When it cannot be started.
#[must_use]
pub fn run(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|cause| panic!("cannot run {command:?}: {cause}"))
}

/// The last address in `text` that follows `words`.
#[must_use]
pub fn said(text: &str, words: &str) -> Option<Ipv4Addr> {
    let at = text.rfind(words)?;
    let rest = text[at + words.len()..].trim_start();
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(rest.len());
    rest[..end].trim_end_matches('.').parse().ok()
}

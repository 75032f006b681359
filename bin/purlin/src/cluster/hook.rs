//! The driver that runs a program: once for each decision, never through a shell.
//!
//! ```text
//!   HOOK scale_up 3 5      {"number": 7, "direction": "scale_up", "from": 3, "to": 5, "reason": "...", "try": 1} on stdin
//!        exit 0            done; what it printed is kept with the decision
//!        exit 75           not now (EX_TEMPFAIL of sysexits.h): asked again, 3 times in all
//!        anything else     failed; the next decision comes after the cooldown
//! ```
//!
//! The program runs with an empty environment but for PATH, in a process group of its own that ends with its time.

use purlin_fabric::port::Later;
use purlin_fabric_runtime::scaling::{Driver, Order, Outcome};
use rustix::process::{Pid, Signal};
use serde_json::json;
use std::fs::Metadata;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// How often a program is asked that says that it cannot now.
const TRIES: u32 = 3;
/// Before it is asked again, times the number of the try.
const PAUSE: Duration = Duration::from_secs(5);
/// EX_TEMPFAIL of sysexits.h.
const NOT_NOW: i32 = 75;
/// What is kept of each stream of output, in octets.
const OUTPUT_MAX: u64 = 2048;
/// What it left running may hold its output open for no longer.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How often it is looked whether a program has ended.
const LOOK: Duration = Duration::from_millis(20);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program that starts and ends nodes.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    program: PathBuf,
    timeout: Duration,
    pause: Duration,
}

/// How one run ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Done(String),
    NotNow(String),
    Failed(String),
}

impl Driver for Hook {
    fn name(&self) -> &'static str {
        "exec"
    }

    fn act<'a>(&'a self, order: &'a Order) -> Later<'a, Outcome> {
        Box::pin(self.insist(order))
    }
}

impl Hook {
    pub(super) fn new(program: PathBuf, timeout: Duration) -> Self {
        Self {
            program,
            timeout,
            pause: PAUSE,
        }
    }

    async fn insist(&self, order: &Order) -> Outcome {
        let mut number = 1;
        loop {
            let (done, output) = match self.run(order, number).await {
                Ended::Done(output) => (true, output),
                Ended::NotNow(_) if number < TRIES => {
                    tokio::time::sleep(self.pause * number).await;
                    number += 1;
                    continue;
                }
                Ended::NotNow(output) => (false, format!("not now, {TRIES} times: {output}")),
                Ended::Failed(output) => (false, output),
            };
            return Outcome { done, output };
        }
    }

    /// On a thread that may block: a program takes its time.
    async fn run(&self, order: &Order, number: u32) -> Ended {
        let (hook, order) = (self.clone(), order.clone());
        let ran = tokio::task::spawn_blocking(move || hook.run_here(&order, number)).await;
        ran.unwrap_or_else(|_| Ended::Failed("the thread that ran it died".to_owned()))
    }

    fn run_here(&self, order: &Order, number: u32) -> Ended {
        let name = self.program.display();
        if let Err(why) = trusted(&self.program) {
            return Ended::Failed(format!("{name} is not run: {why}"));
        }
        let direction = if order.to > order.from {
            "scale_up"
        } else {
            "scale_down"
        };
        let spawned = Command::new(&self.program)
            .args([direction, &order.from.to_string(), &order.to.to_string()])
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        let child = match spawned {
            Ok(child) => child,
            Err(cause) => return Ended::Failed(format!("{name} could not be started: {cause}")),
        };
        let words = json!({
            "number": order.number,
            "direction": direction,
            "from": order.from,
            "to": order.to,
            "reason": order.reason,
            "try": number,
        });
        self.attend(child, format!("{words}\n"))
    }

    /// Feeds a program and listens to it until it ends, or its time does.
    fn attend(&self, mut child: Child, words: String) -> Ended {
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not want to know need not read it.
            std::thread::spawn(move || stdin.write_all(words.as_bytes()));
        }
        let (out, err) = (listen(child.stdout.take()), listen(child.stderr.take()));
        let ended = wait(&mut child, self.timeout);
        // What it started goes with it, also after its own end.
        kill(child.id());
        let status = ended.or_else(|| {
            // Killed just now.
            let _ = child.wait();
            None
        });
        let said = said(&[out, err]);
        match status {
            None => {
                let secs = self.timeout.as_secs_f64();
                Ended::Failed(format!("took longer than {secs} s and was ended{}", after(&said)))
            }
            Some(status) => judge(status, &said),
        }
    }
}

/// How a program ended; `None` when it did not within its time.
fn wait(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if began.elapsed() >= timeout {
            return None;
        }
        std::thread::park_timeout(LOOK);
    }
}

fn judge(status: ExitStatus, said: &str) -> Ended {
    match status.code() {
        Some(0) => Ended::Done(said.to_owned()),
        Some(NOT_NOW) => Ended::NotNow(said.to_owned()),
        _ => Ended::Failed(format!("{status}{}", after(said))),
    }
}

fn after(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

/// Whether a file is one that only its owner could have put there.
fn trusted(program: &Path) -> Result<(), String> {
    let file = std::fs::metadata(program).map_err(|cause| cause.to_string())?;
    let others_write = |of: &Metadata| of.mode() & 0o022 != 0;
    if !file.is_file() {
        return Err("it is no file".to_owned());
    }
    if file.mode() & 0o111 == 0 {
        return Err("it is not executable; chmod 755".to_owned());
    }
    if others_write(&file) {
        return Err("others than its owner may write it; chmod go-w".to_owned());
    }
    let folder = program.parent().map(std::fs::metadata);
    match folder {
        Some(Ok(folder)) if others_write(&folder) => {
            Err("others than its owner may write its folder; chmod go-w".to_owned())
        }
        Some(Err(cause)) => Err(cause.to_string()),
        _ => Ok(()),
    }
}

fn kill(group: u32) {
    let group = i32::try_from(group).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It may be gone already.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// The beginning of a stream, when it has ended; the rest is read so that the program can go on.
fn listen(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (tell, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let Some(mut stream) = stream else { return };
        let mut kept = Vec::new();
        let _ = (&mut stream).take(OUTPUT_MAX).read_to_end(&mut kept);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
        // Nobody may be waiting any more.
        let _ = tell.send(kept);
    });
    heard
}

fn said(streams: &[Receiver<Vec<u8>>]) -> String {
    let mut parts = Vec::new();
    for stream in streams {
        let octets = stream.recv_timeout(LAST_WORDS).unwrap_or_default();
        let text = String::from_utf8_lossy(&octets).trim().to_owned();
        if !text.is_empty() {
            parts.push(text);
        }
    }
    parts.join("\n")
}

#[cfg(test)]
mod tests;

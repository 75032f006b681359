//! The packaged programs of OVN, run beside the platform: arguments as they are, never through a shell; so many at once,
//! so long, so much output.

use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

/// What the programs need that the platform's own clients have in other forms.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    /// Where scratch databases are kept while a request lasts. What a killed process left there is swept at the start.
    pub folder: PathBuf,
    /// Files of certificate, key and authority, for `ssl:` endpoints.
    pub tls: Option<[PathBuf; 3]>,
}

/// Programs of one request at a time, and how long a request waits for its turn.
const AT_ONCE: usize = 4;
const PATIENCE: Duration = Duration::from_secs(10);

/// Octets of an answer.
const OUTPUT_MAX: u64 = 4 << 20;
/// Octets of complaints that are kept.
const COMPLAINTS_MAX: u64 = 16 << 10;

/// Where packaged servers are, beside `PATH`: daemons often have none with them.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/sbin"];

/// How programs are run.
#[derive(Debug)]
pub(crate) struct Programs {
    tools: Tools,
    turns: Semaphore,
    /// For copies of whole databases: one at a time.
    scratch: Semaphore,
}

/// What a program printed.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) complaints: String,
    pub(crate) success: bool,
}

impl Programs {
    pub(crate) fn new(mut tools: Tools) -> Self {
        // Programs run elsewhere than this process; without a place there is none.
        tools.folder = std::path::absolute(&tools.folder).unwrap_or_default();
        Self {
            tools,
            turns: Semaphore::new(AT_ONCE),
            scratch: Semaphore::new(1),
        }
    }

    pub(crate) const fn tools(&self) -> &Tools {
        &self.tools
    }

    /// The turn of who makes copies of the databases.
    pub(crate) async fn scratch_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.scratch.acquire().await.ok()
    }

    /// The arguments by which OVN's programs know our certificate.
    pub(crate) fn tls_arguments(&self) -> Vec<String> {
        let Some([certificate, key, authority]) = &self.tools.tls else {
            return Vec::new();
        };
        [
            ("certificate", certificate),
            ("private-key", key),
            ("ca-cert", authority),
        ]
        .map(|(name, file)| format!("--{name}={}", file.display()))
        .to_vec()
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// 503 when it is not installed or too many run already, 504 when it takes longer than `limit`, 502 when it prints
    /// too much.
    pub(crate) async fn run(
        &self,
        program: &str,
        arguments: &[String],
        limit: Duration,
    ) -> Result<Printed, Problem> {
        let found = find(program)?;
        let _turn = self.turn(program).await?;
        let mut child = command(&found, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|cause| Problem::broken(format!("starting {}: {cause}", found.display())))?;
        // Dropping the child ends it: when the time is over, and when who asked has gone.
        match tokio::time::timeout(limit, collect(&mut child)).await {
            Ok(Ok(Some(printed))) => Ok(printed),
            Ok(Ok(None)) => {
                let detail = format!("{program} printed more than {OUTPUT_MAX} octets");
                Err(Problem::new(
                    StatusCode::BAD_GATEWAY,
                    &reasons::TOOL_FAILED,
                    detail,
                ))
            }
            Ok(Err(cause)) => Err(Problem::broken(format!("reading from {program}: {cause}"))),
            Err(_) => {
                let detail = format!("{program} did not end within {} s", limit.as_secs());
                Err(Problem::new(
                    StatusCode::GATEWAY_TIMEOUT,
                    &reasons::TOOL_TOO_SLOW,
                    detail,
                ))
            }
        }
    }

    async fn turn(&self, program: &str) -> Result<SemaphorePermit<'_>, Problem> {
        match tokio::time::timeout(PATIENCE, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(busy(program)),
        }
    }
}

/// 503: no turn came.
pub(crate) fn busy(what: &str) -> Problem {
    let detail = format!("{what}: no turn came within {} s", PATIENCE.as_secs());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::TOOL_BUSY, detail)
}

async fn collect(child: &mut Child) -> std::io::Result<Option<Printed>> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (text, complaints) = match tokio::try_join!(answer(out), words(err)) {
        Ok(both) => both,
        Err(cause) if cause.kind() == ErrorKind::FileTooLarge => return Ok(None),
        Err(cause) => return Err(cause),
    };
    let status = child.wait().await?;
    Ok(Some(Printed {
        text: String::from_utf8_lossy(&text).into_owned(),
        complaints: String::from_utf8_lossy(&complaints).trim().to_owned(),
        success: status.success(),
    }))
}

/// All of it; an error as soon as it is too much.
async fn answer(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    if let Some(from) = from {
        from.take(OUTPUT_MAX + 1).read_to_end(&mut octets).await?;
    }
    match octets.len() as u64 > OUTPUT_MAX {
        true => Err(ErrorKind::FileTooLarge.into()),
        false => Ok(octets),
    }
}

/// The first of it; the rest is read and forgotten, so that nobody waits for room.
async fn words(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    if let Some(mut from) = from {
        (&mut from).take(COMPLAINTS_MAX).read_to_end(&mut octets).await?;
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(octets)
}

/// A program that ends with its handle, and with this process, however that ends.
pub(crate) fn command(program: &Path, arguments: &[String]) -> Command {
    let mut command = match find("setpriv") {
        Ok(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            command
        }
        Err(_) => Command::new(program),
    };
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Where a program is.
///
/// # Errors
/// 503 when it is nowhere.
pub(crate) fn find(program: &str) -> Result<PathBuf, Problem> {
    find_program(program).ok_or_else(|| {
        let detail = format!("{program} is not installed on this node");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::TOOL_MISSING, detail).with("program", program)
    })
}

/// Where a packaged program is: on `PATH`, or where servers are.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&paths).chain(SYSTEM.map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn arguments_are_never_read_by_a_shell() {
        let programs = Programs::new(Tools::default());
        let odd = "$(id); `id` && \"x\" > /dev/null";
        let printed = programs
            .run("printf", &words(&["%s", odd]), Duration::from_secs(10))
            .await
            .expect("printf is there");
        assert_eq!((printed.text.as_str(), printed.success), (odd, true));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended() {
        let programs = Programs::new(Tools::default());
        let problem = programs
            .run("sleep", &words(&["600"]), Duration::from_millis(50))
            .await
            .expect_err("it sleeps longer");
        assert_eq!(problem.status(), StatusCode::GATEWAY_TIMEOUT);
        assert!(
            problem.detail().contains("sleep did not end"),
            "{}",
            problem.detail()
        );
    }

    #[tokio::test]
    async fn what_prints_without_end_is_cut_off() {
        let programs = Programs::new(Tools::default());
        let problem = programs
            .run("yes", &[], Duration::from_secs(30))
            .await
            .expect_err("it never ends");
        assert_eq!(problem.status(), StatusCode::BAD_GATEWAY);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let programs = Programs::new(Tools::default());
        let problem = programs
            .run("ovn-nothing", &[], Duration::from_secs(1))
            .await
            .expect_err("there is none");
        assert_eq!(
            (problem.status(), problem.detail()),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "ovn-nothing is not installed on this node"
            )
        );
    }
}

//! The program around the commands: its own options, connections, the daemon and its clients.
//!
//! ```text
//!   words ─► options ─► settings ─┬─ direct   connect, run one line, end
//!                                 ├─ client   hand the line to a daemon (OVN_NB_DAEMON, -u, a node's socket)
//!                                 └─ daemon   stay connected, run lines that come over a socket (--detach)
//!                                        └ engine   one line against a replica: plan, commit, wait
//! ```

mod client;
mod daemon;
mod detach;
mod direct;
mod engine;
mod environment;
mod listing;
mod log;
mod options;
mod settings;
mod unixctl;
mod usage;

pub use engine::{Engine, Failed, Manner, Until};
pub use environment::Environment;
pub use log::{Log, Verbosity};
pub use unixctl::{Served, serve};

use crate::warning::Warning;
use options::{Scope, What};
use settings::Settings;
use std::io::Write as _;
use std::path::PathBuf;

/// How the program was called.
#[derive(Debug, Clone)]
pub struct Called<'a> {
    /// By which name it speaks of itself.
    pub name: &'a str,
    /// The words after it.
    pub words: &'a [String],
    /// What the environment says.
    pub environment: Environment,
    /// The socket of a node on this machine that takes command lines, tried where no database is named.
    pub node: Option<PathBuf>,
}

/// Exit codes: all went well, something did not, the time was over (as by `SIGALRM`).
const OK: u8 = 0;
const FAILED: u8 = 1;
const ALARM: u8 = 142;

/// What the program says, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Its exit code.
    pub code: u8,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Told {
    fn said(out: String) -> Self {
        Self {
            out,
            ..Self::default()
        }
    }

    fn ended(code: u8) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }
}

/// Runs the program to its end; its exit code.
#[must_use]
pub fn main(called: &Called<'_>) -> u8 {
    let told = told(called);
    eprint!("{}", told.err);
    print(&told.out);
    told.code
}

/// Runs the program to its end; what it says. Only a daemon says what it has to say itself, before its end.
#[must_use]
pub fn told(called: &Called<'_>) -> Told {
    let mut log = Log::console(called.name, Verbosity::default());
    let told = run(called, &mut log);
    let mut told = told.unwrap_or_else(|text| Told {
        err: format!("{}: {text}\n", called.name),
        ..Told::ended(FAILED)
    });
    told.err.insert_str(0, &log.take());
    told
}

fn run(called: &Called<'_>, log: &mut Log) -> Result<Told, String> {
    let environment = &called.environment;
    let mut words = environment.option_words();
    words.extend_from_slice(called.words);
    let parsed = options::parse(&words, Scope::Program)?;
    let rest = &words[parsed.rest..];
    for option in &parsed.options {
        if let Some(text) = about(option.what, called) {
            return Ok(Told::said(text));
        }
    }
    let settings = Settings::of(&parsed.options)?;
    log.set(settings.verbosity.clone());
    if settings.detach.is_none()
        && let Some(socket) = socket(&settings, called, log)
    {
        return client::run(called, &settings, &parsed.options, rest, &socket);
    }
    match &settings.detach {
        Some(_) if !rest.is_empty() => {
            Err("non-option arguments not supported with --detach (use --help for help)".to_owned())
        }
        Some(detach) => daemon::run(called, &settings, detach).map(Told::ended),
        None => direct::run(called, &settings, rest, &words, log),
    }
}

/// What options print that do nothing else.
fn about(what: What, called: &Called<'_>) -> Option<String> {
    match what {
        What::Help => Some(usage::help(called.name, &called.environment.default_database())),
        What::Commands => Some(listing::commands()),
        What::Options => Some(options::listing()),
        What::Version => Some(usage::version(called.name)),
        _ => None,
    }
}

/// The daemon's socket, where one is to be used.
fn socket(settings: &Settings, called: &Called<'_>, log: &mut Log) -> Option<PathBuf> {
    let environment = &called.environment;
    let named = settings.socket.clone().or_else(|| environment.daemon.clone());
    if let Some(named) = named {
        if settings.database.is_none() {
            return Some(environment.socket_path(&named));
        }
        let text = format!("not using {} daemon because of db option", called.name);
        log.say(&Warning::warn("ovn_dbctl", text));
        return None;
    }
    let free = settings.database.is_none() && environment.database.is_none();
    called.node.clone().filter(|node| free && node.exists())
}

/// Prints; that nobody reads it is no failure.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

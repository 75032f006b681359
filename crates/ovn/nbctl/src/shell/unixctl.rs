//! The socket of a daemon: command lines in, what they print out. JSON-RPC 1.0, as all daemons of OVS speak it.
//!
//! Source: ovs-appctl(8), ovn-nbctl(8) "Daemon Mode".

use super::engine::{Engine, Failed, Manner, escaped, read};
use super::log::Log;
use super::options::{self, Scope};
use super::settings::Settings;
use crate::warning::Level;
use crate::warning::Warning;
use serde_json::{Deserializer, Value, json};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Octets of one request, at most.
const REQUEST_MAX: usize = 16 << 20;
const COMMANDS: &str = "The available commands are:\n  exit                    \n  list-commands           \n  run                     \n  version                 \n";

/// A socket that takes command lines, until it is dropped.
#[derive(Debug)]
pub struct Served {
    task: JoinHandle<()>,
    path: PathBuf,
    exit: watch::Receiver<bool>,
}

impl Served {
    /// Returns when somebody asked the daemon to end.
    pub async fn exited(&mut self) {
        // The sender lives as long as the task, which ends with this value only.
        let _ = self.exit.wait_for(|exit| *exit).await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
        // It may be gone already.
        let _ = std::fs::remove_file(&self.path);
    }
}

struct Shared {
    engine: Engine,
    log: Mutex<Log>,
    exit: watch::Sender<bool>,
}

/// Takes command lines at this path.
///
/// # Errors
/// The socket cannot be made.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn serve(engine: Engine, log: Log, path: &Path) -> io::Result<Served> {
    // What a daemon left behind that was killed; one that lives keeps its own.
    if std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
    let listener = UnixListener::bind(path)?;
    // Whoever can write to it can change the network.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let (exit, exits) = watch::channel(false);
    let shared = Arc::new(Shared {
        engine,
        log: Mutex::new(log),
        exit,
    });
    let task = tokio::spawn(async move {
        loop {
            // A connection that was lost before it was taken is nobody's loss.
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, shared.clone()));
            }
        }
    });
    Ok(Served {
        task,
        path: path.to_owned(),
        exit: exits,
    })
}

/// Answers the requests of one connection, one after the other.
async fn answer(mut stream: UnixStream, shared: Arc<Shared>) {
    let mut waiting = Vec::new();
    loop {
        let mut requests = Deserializer::from_slice(&waiting).into_iter::<Value>();
        let request = requests.next();
        let read = requests.byte_offset();
        match request {
            Some(Ok(request)) => {
                waiting.drain(..read);
                let reply = reply(&request, &shared).await;
                if stream.write_all(reply.to_string().as_bytes()).await.is_err() {
                    return;
                }
            }
            Some(Err(fault)) if !fault.is_eof() => return,
            _ if waiting.len() > REQUEST_MAX => return,
            _ => match stream.read_buf(&mut waiting).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
        }
    }
}

async fn reply(request: &Value, shared: &Shared) -> Value {
    let words = request["params"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let words: Option<Vec<String>> = words
        .iter()
        .map(|word| word.as_str().map(str::to_owned))
        .collect();
    let method = request["method"].as_str().unwrap_or_default();
    let result = match (method, words) {
        (_, None) => Err(format!("\"{method}\" command has non-string argument")),
        ("run", Some(words)) => line(&words, shared).await,
        ("exit", Some(_)) => {
            shared.exit.send_replace(true);
            Ok(String::new())
        }
        ("version", Some(_)) => Ok(super::usage::version(shared.log().name())),
        ("list-commands", Some(_)) => Ok(COMMANDS.to_owned()),
        _ => Err(format!(
            "\"{method}\" is not a valid command (use \"list-commands\" to see a list of valid commands)"
        )),
    };
    let ended = |mut text: String| {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text
    };
    match result {
        Ok(text) => json!({"id": request["id"], "result": ended(text), "error": null}),
        Err(text) => json!({"id": request["id"], "result": null, "error": ended(text)}),
    }
}

impl Shared {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        // Whoever panicked while writing a line has written part of it, no more.
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn line(words: &[String], shared: &Shared) -> Result<String, String> {
    let parsed = options::parse(words, Scope::Line)?;
    let settings = Settings::of(&parsed.options)?;
    let commands = read(&words[parsed.rest..], settings.local)?;
    crate::needs::Needs::of(&commands)?;
    let name = shared.log().name().to_owned();
    let manner = Manner {
        wait: settings.wait,
        print_wait_time: settings.print_wait_time,
        dry_run: settings.dry_run,
        oneline: settings.oneline,
        style: settings.style,
        comment: format!("{name}: run {}", escaped(words)),
        patience: settings.timeout,
    };
    let called = Warning {
        level: if crate::syntax::may_write(&commands) {
            Level::Info
        } else {
            Level::Dbg
        },
        ..Warning::warn("ovn_dbctl", format!("Running command run {}", escaped(words)))
    };
    shared.log().say(&called);
    let mut warnings = Vec::new();
    let result = shared.engine.run(&commands, &manner, &mut warnings).await;
    let mut log = shared.log();
    warnings.iter().for_each(|warning| log.say(warning));
    result.map_err(|failed| match failed {
        Failed::Refused(text) => text,
        Failed::Unreachable(why) => format!("database connection failed ({why})"),
    })
}

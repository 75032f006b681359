//! Without a daemon: connect, read what the commands look at, run them, end.

use super::engine::{Engine, Failed, Manner, escaped, read};
use super::log::Log;
use super::settings::Settings;
use super::{ALARM, Called, Told};
use crate::needs::Needs;
use crate::warning::Warning;
use purlin_ovsdb::client::{Client, Config, Endpoint, MemberStatus, Tls, parse_endpoints};
use purlin_ovsdb::nb;
use std::io;
use std::net::ToSocketAddrs as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a connection may take before the next endpoint is tried.
const CONNECT: Duration = Duration::from_secs(5);

pub(super) fn run(
    called: &Called<'_>,
    settings: &Settings,
    rest: &[String],
    words: &[String],
    log: &mut Log,
) -> Result<Told, String> {
    let commands = read(rest, settings.local.clone())?;
    let mut needs = Needs::of(&commands)?;
    if settings.wait.is_some() {
        needs.progress();
    }
    let database = database(settings, called);
    let config = config(&database, settings)?;
    let manner = Manner {
        wait: settings.wait,
        print_wait_time: settings.print_wait_time,
        dry_run: settings.dry_run,
        oneline: settings.oneline,
        style: settings.style,
        comment: format!("{}: {} {}", called.name, called.name, escaped(words)),
        patience: None,
    };
    if let Some(file) = &settings.log_file {
        open(log, called, file.as_deref())?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| format!("starting: {cause}"))?;
    let result = runtime.block_on(async {
        let work = async {
            reachable(&config.endpoints).map_err(Failed::Unreachable)?;
            let client = Client::start(config);
            let rows = client.replicate(needs.spec().follow(settings.follow()));
            let mut warnings = Vec::new();
            let engine = Engine::new(client.clone(), rows);
            let result = tokio::select! {
                result = engine.run(&commands, &manner, &mut warnings) => result,
                why = lost(&client) => Err(Failed::Unreachable(why)),
            };
            warnings.iter().for_each(|warning| log.say(warning));
            result
        };
        match settings.timeout {
            None => Some(work.await),
            Some(limit) => tokio::time::timeout(limit, work).await.ok(),
        }
    });
    // Whatever still waits for an answer that nobody needs any more is left behind.
    runtime.shutdown_background();
    match result {
        Some(Ok(text)) => Ok(Told::said(text)),
        Some(Err(Failed::Refused(text))) => Err(text),
        Some(Err(Failed::Unreachable(why))) => Err(format!("{database}: database connection failed ({why})")),
        None => {
            let text = "terminating with signal 14 (Alarm clock)";
            log.say(&Warning::warn("fatal_signal", text));
            Ok(Told::ended(ALARM))
        }
    }
}

/// Returns when no endpoint can be talked to, with what is wrong with the last one.
async fn lost(client: &Client) -> String {
    let mut members = client.watch_members();
    let gone = |all: &Vec<MemberStatus>| all.iter().all(|one| !one.connected && one.trouble.is_some());
    match members.wait_for(gone).await {
        Ok(all) => all.last().and_then(|one| one.trouble.clone()).unwrap_or_default(),
        Err(_) => "the client is shut down".to_owned(),
    }
}

/// Opens the log file, or the usual one.
pub(super) fn open(log: &mut Log, called: &Called<'_>, file: Option<&Path>) -> Result<(), String> {
    let usual = || called.environment.log_dir().join(format!("{}.log", called.name));
    let file = file.map_or_else(usual, Path::to_path_buf);
    log.open(&file).map_err(|cause| {
        format!(
            "failed to open {} for logging ({})",
            file.display(),
            plain(&cause)
        )
    })
}

pub(super) fn database(settings: &Settings, called: &Called<'_>) -> String {
    let usual = || called.environment.default_database();
    settings.database.clone().unwrap_or_else(usual)
}

/// The client's settings for a list of endpoints.
pub(super) fn config(database: &str, settings: &Settings) -> Result<Config, String> {
    let endpoints = parse_endpoints(database).map_err(|fault| fault.to_string())?;
    let encrypted = endpoints.iter().any(|one| matches!(one, Endpoint::Ssl(..)));
    let mut config = Config::new(nb::DATABASE, endpoints);
    config.forward = settings.any_member;
    if encrypted {
        config = config.with_tls(tls(settings)?);
    }
    Ok(config)
}

fn tls(settings: &Settings) -> Result<Tls, String> {
    let read = |file: &Option<std::path::PathBuf>, option: &str| {
        let file = file
            .as_ref()
            .ok_or_else(|| format!("an ssl: connection needs --{option}"))?;
        std::fs::read(file).map_err(|cause| format!("{}: {}", file.display(), plain(&cause)))
    };
    let key = read(&settings.private_key, "private-key")?;
    let certificate = read(&settings.certificate, "certificate")?;
    let authority = read(&settings.authority, "ca-cert")?;
    Tls::from_pem(&certificate, &key, &authority).map_err(|fault| fault.to_string())
}

/// Whether anyone listens; if not, why. The client itself would try for ever.
fn reachable(endpoints: &[Endpoint]) -> Result<(), String> {
    let mut why = String::from("no endpoint");
    for endpoint in endpoints {
        let tried = match endpoint {
            Endpoint::Unix(path) => UnixStream::connect(path).map(drop),
            Endpoint::Tcp(host, port) | Endpoint::Ssl(host, port) => tcp(host, *port),
        };
        match tried {
            Ok(()) => return Ok(()),
            Err(cause) => why = plain(&cause),
        }
    }
    Err(why)
}

fn tcp(host: &str, port: u16) -> io::Result<()> {
    let mut last = io::Error::other("the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match std::net::TcpStream::connect_timeout(&address, CONNECT) {
            Ok(_) => return Ok(()),
            Err(cause) => last = cause,
        }
    }
    Err(last)
}

/// The system's words without its number.
pub(super) fn plain(cause: &io::Error) -> String {
    let text = cause.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

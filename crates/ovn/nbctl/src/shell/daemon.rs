//! The daemon: stays connected and runs the lines that come over its socket.

use super::detach::{self, Stage};
use super::direct::{config, database, open, plain};
use super::engine::Engine;
use super::log::Log;
use super::settings::{Detach, Settings};
use super::unixctl::serve;
use super::{Called, OK};
use crate::needs::Needs;
use purlin_ovsdb::client::{Client, Config, Follow};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

pub(super) fn run(called: &Called<'_>, settings: &Settings, detach: &Detach) -> Result<u8, String> {
    let config = config(&database(settings, called), settings)?;
    let mut ready = match detach::stage(called)? {
        Stage::Ended(code) => return Ok(code),
        Stage::Background(ready) => ready,
    };
    let mut log = Log::quiet(called.name, settings.verbosity.clone());
    if let Some(file) = &settings.log_file {
        open(&mut log, called, file.as_deref())?;
    }
    let run_dir = called.environment.run_dir();
    let pid_file = detach.pid_file.as_ref().map(|named| {
        let usual = || PathBuf::from(format!("{}.pid", called.name));
        run_dir.join(named.clone().unwrap_or_else(usual))
    });
    let pid = std::process::id();
    let usual = || format!("{}.{pid}.ctl", called.name);
    let socket = run_dir.join(settings.socket.clone().unwrap_or_else(usual));
    let _pid = pid_file
        .map(|path| detach::PidFile::write(path, detach.overwrite))
        .transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| format!("starting: {cause}"))?;
    let result = runtime.block_on(async {
        let engine = engine(config, settings.follow());
        let mut served = serve(engine.clone(), log, &socket)
            .map_err(|cause| format!("failed to create unixctl server ({})", plain(&cause)))?;
        ready.tell(&socket.display().to_string());
        let mut terminate = signal(SignalKind::terminate()).map_err(|cause| cause.to_string())?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|cause| cause.to_string())?;
        let ended = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = served.exited() => {}
            }
        };
        let work = async {
            engine.ready().await;
            ready.done(detach.stay);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = ended => {}
            () = work => {}
        }
        Ok::<_, String>(())
    });
    runtime.shutdown_background();
    result.map(|()| OK)
}

/// A replica of everything, with what commands look rows up by.
fn engine(config: Config, follow: Follow) -> Engine {
    let client = Client::start(config);
    let rows = client.replicate(Needs::everything().follow(follow));
    Engine::new(client, rows)
}

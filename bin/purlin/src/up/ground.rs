//! What everything else stands on: the data directory, the store, the events, and the revision that runs.

use super::boot::Boot;
use super::host::Host;
use super::{data_dir, faults};
use crate::exit::Failure;
use crate::log;
use crate::settings::Settings;
use purlin_api::clock::Clock;
use purlin_api::ledger::Ledger;
use purlin_api::revisions::{ConfigHost, Current, Revisions};
use purlin_store_embedded::{Embedded, Options};
use purlin_telemetry::EventLog;
use std::path::PathBuf;
use std::sync::Arc;

/// Events that are kept for readers who were away.
const EVENTS_KEPT: usize = 65_536;

/// The lowest floor of a node.
pub(super) struct Ground {
    pub(super) data_dir: PathBuf,
    pub(super) store: Arc<Embedded>,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    pub(super) events: Arc<EventLog>,
    pub(super) host: Arc<Host>,
    pub(super) revisions: Revisions,
    pub(super) settings: Settings,
}

impl Ground {
    /// Opens the store and settles which configuration runs.
    ///
    /// # Errors
    /// When the directory or the store cannot be used, or the revision has faults in this environment.
    pub(super) async fn lay(boot: &Boot) -> Result<Self, Failure> {
        data_dir::prepare(&boot.data_dir)?;
        let data_dir = std::path::absolute(&boot.data_dir)?;
        let opened = Embedded::open(&data_dir, Options::default());
        let store = Arc::new(opened.map_err(|cause| faults::unopened(&cause, &data_dir))?);
        let (ledger, clock) = (Ledger::new(store.records()), Clock::system());
        let events = Arc::new(EventLog::new(EVENTS_KEPT, wall_micros()));
        let host = Arc::new(Host::default());
        let meaning: Arc<dyn ConfigHost> = Arc::clone(&host) as _;
        let revisions =
            Revisions::open(ledger.clone(), clock.clone(), meaning, Some(Arc::clone(&events))).await;
        let revisions = revisions.map_err(|problem| faults::broken("the revisions", &problem))?;
        let settings = settle(&revisions, boot).await?;
        Ok(Self {
            data_dir,
            store,
            ledger,
            clock,
            events,
            host,
            revisions,
            settings,
        })
    }
}

/// Which configuration runs: the file when it says something new, else the newest revision.
async fn settle(revisions: &Revisions, boot: &Boot) -> Result<Settings, Failure> {
    let before = revisions.current().number;
    // The demo is for a first start; it never replaces what was configured.
    let current = if boot.file.is_none() && before > 0 {
        revisions.current()
    } else {
        let booted = revisions.boot(boot.config.clone(), &boot.origin()).await;
        booted.map_err(|problem| faults::broken("the revisions", &problem))?
    };
    tell_choice(before, &current, boot);
    Host::read(&current.config).map_err(|faults| {
        let details = faults
            .iter()
            .map(|fault| format!("  {}: {}", fault.path, fault.message))
            .collect();
        let what = format!("revision {} has faults in this environment", current.number);
        Failure::failed(
            what,
            "correct PURLIN__ variables, or start with a changed --config",
        )
        .with_details(details)
    })
}

fn tell_choice(before: u64, current: &Current, boot: &Boot) {
    let (number, origin) = (current.number, boot.origin());
    match &boot.file {
        _ if before == 0 => {}
        None => log::info(&format!("going on with revision {number}")),
        Some(_) if number > before => {
            log::info(&format!(
                "{origin} has changed since it was last applied: it is now revision {number}"
            ));
        }
        Some(_) => log::info(&format!(
            "{origin} has not changed: going on with revision {number}"
        )),
    }
}

/// Event numbers grow over restarts, so that an old reader's number is recognised.
fn wall_micros() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0)
}

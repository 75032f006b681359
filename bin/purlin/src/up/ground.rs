//! What everything else stands on: the data directory, the store, the events, and the revision that runs.

use super::boot::Boot;
use super::host::Host;
use super::{abandoned, data_dir, faults, grown, own};
use crate::cluster::{Book, Waits};
use crate::exit::Failure;
use crate::log;
use crate::settings::Settings;
use purlin_api::clock::Clock;
use purlin_api::ledger::Ledger;
use purlin_api::problem::FaultView;
use purlin_api::revisions::{ConfigHost, Current, Revisions, Settled};
use purlin_config::sections::store::StoreEngine;
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
    /// What is this node's alone: its audit.
    pub(super) ledger: Ledger,
    /// Revisions and tokens: this node's, or the cluster's.
    pub(super) book: Ledger,
    /// Set when the book is the cluster's.
    pub(super) shared: Option<Book>,
    pub(super) clock: Clock,
    pub(super) events: Arc<EventLog>,
    pub(super) host: Arc<Host>,
    pub(super) revisions: Revisions,
    pub(super) settings: Settings,
    /// This node's own configuration: where the cluster's is kept stands in it.
    basis: Current,
}

impl Ground {
    /// Opens the store, unless it is open from before, and settles which configuration of its own this node has.
    ///
    /// # Errors
    /// When the directory or the store cannot be used, or the revision has faults in this environment.
    pub(super) async fn lay(boot: &Boot, store: Option<Arc<Embedded>>) -> Result<Self, Failure> {
        data_dir::prepare(&boot.data_dir)?;
        let data_dir = std::path::absolute(&boot.data_dir)?;
        let opened = match store {
            Some(store) => Ok(store),
            None => Embedded::open(&data_dir, Options::default()).map(Arc::new),
        };
        let store = opened.map_err(|cause| faults::unopened(&cause, &data_dir))?;
        let (ledger, clock) = (Ledger::new(store.records()), Clock::system());
        let events = Arc::new(EventLog::new(EVENTS_KEPT, wall_micros()));
        let host = Arc::new(Host::default());
        let meaning: Arc<dyn ConfigHost> = Arc::clone(&host) as _;
        let told = Some(Arc::clone(&events));
        let revisions = Revisions::open(ledger.clone(), clock.clone(), meaning, told).await;
        let revisions = revisions.map_err(|problem| faults::broken("the revisions", &problem))?;
        let basis = settle(&revisions, boot).await?;
        let settings = read(&basis)?;
        let ground = Self {
            data_dir,
            store,
            book: ledger.clone(),
            ledger,
            shared: None,
            clock,
            events,
            host,
            revisions,
            settings,
            basis,
        };
        if ground.settings.store.records == StoreEngine::Embedded && grown::is_there(&ground.data_dir) {
            return Err(Failure::failed(
                "this node's leases are in its cluster's database, and store.engine says embedded",
                "take PURLIN__STORE__ENGINE out of the environment",
            ));
        }
        Ok(ground)
    }

    /// Goes on with the configuration that the nodes of the cluster share, if there is a cluster. Waits for its database, and
    /// says so to `waits`.
    ///
    /// # Errors
    /// When waiting will not help, when this node's own store has leases that the database does not know, or the cluster's
    /// revision has faults in this environment.
    pub(super) async fn share(&mut self, boot: &Boot, waits: &Waits) -> Result<(), Failure> {
        if !matches!(self.settings.store.records, StoreEngine::Postgres(_)) {
            return Ok(());
        }
        abandoned::check(&self.store, &self.settings, &self.data_dir, boot.leave_leases).await?;
        let shared = Book::open(&self.settings, waits).await?;
        #[cfg(feature = "dhcp")]
        crate::cluster::others_done(&shared.records(), &self.settings.node.id).await?;
        let book = Ledger::new(shared.records());
        let node = self.settings.node.id.to_string();
        let own = (node.as_str(), own::PATHS, &*self.basis.config);
        let (host, events) = (Arc::clone(&self.host) as _, Some(Arc::clone(&self.events)));
        let revisions = Revisions::open_shared(book.clone(), self.clock.clone(), host, events, own).await;
        let revisions = revisions.map_err(|problem| faults::broken("the cluster's revisions", &problem))?;
        let current = if boot.file.is_some() || revisions.current().number == 0 {
            let settled = revisions.settle(&self.basis.config, &boot.origin()).await;
            let (current, settled) =
                settled.map_err(|problem| faults::broken("the cluster's revisions", &problem))?;
            tell_settled(&settled, &current, &boot.origin());
            current
        } else {
            revisions.current()
        };
        self.settings = read(&current)?;
        (self.book, self.shared, self.revisions) = (book, Some(shared), revisions);
        Ok(())
    }
}

/// What a configuration says here and now, with the environment over it.
fn read(current: &Current) -> Result<Settings, Failure> {
    Host::read(&current.config).map_err(|faults| {
        let of = |fault: &FaultView| format!("  {}: {}", fault.path, fault.message);
        let what = format!("revision {} has faults in this environment", current.number);
        Failure::failed(
            what,
            "correct PURLIN__ variables, or start with a changed --config",
        )
        .with_details(faults.iter().map(of).collect())
    })
}

/// Which configuration runs: the file when it says something new, else the newest revision.
async fn settle(revisions: &Revisions, boot: &Boot) -> Result<Current, Failure> {
    let before = revisions.current().number;
    // The demo is for a first start; it never replaces what was configured.
    let current = if boot.file.is_none() && before > 0 {
        revisions.current()
    } else {
        let booted = revisions.boot(boot.config.clone(), &boot.origin()).await;
        booted.map_err(|problem| faults::broken("the revisions", &problem))?
    };
    tell_choice(before, &current, boot);
    Ok(current)
}

/// What became of the file in the cluster.
pub(super) fn tell_settled(settled: &Settled, current: &Current, origin: &str) {
    let number = current.number;
    match settled {
        Settled::Made => log::info(&format!("{origin} is the cluster's revision {number} now")),
        Settled::Same => log::info(&format!(
            "{origin} says nothing new: the cluster's revision {number} is in effect"
        )),
        Settled::Old(old) => log::warn(&format!(
            "{origin} says what revision {old} said, and the cluster is at {number}, which stays in effect; to go back: \
             purlin config rollback {old}"
        )),
        Settled::Joined => log::warn(&format!(
            "{origin} differs from the cluster's revision {number}, which is in effect here too; `purlin config diff` \
             shows how, `purlin config apply` changes it for all nodes"
        )),
    }
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

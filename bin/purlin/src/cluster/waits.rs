//! What a start waits for, told to the log, and to whoever asks how the node is or watches over it.

use crate::log;
use purlin_store_postgres::Waiting;
use std::sync::Arc;
use tokio::sync::watch;

/// Where what is waited for is told. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Waits(Arc<watch::Sender<Option<Wait>>>);

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wait {
    /// In one sentence, as of the last attempt.
    pub(crate) says: String,
    pub(crate) fix: &'static str,
}

impl Default for Waits {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Waits {
    /// For whoever waits for the database.
    pub(super) fn teller(&self) -> impl Fn(&Waiting) + Send + Sync + Clone + use<> {
        let waits = self.clone();
        move |waiting: &Waiting| waits.tell(waiting)
    }

    fn tell(&self, waiting: &Waiting) {
        log::warn(&format!(
            "waiting for the database for {} s, again in {:.1} s: {}",
            waiting.waited.as_secs(),
            waiting.pause.as_secs_f64(),
            waiting.cause
        ));
        self.0.send_replace(Some(Wait {
            says: format!(
                "the node has waited for its database for {} s and asks it again by itself: {}",
                waiting.waited.as_secs(),
                waiting.cause
            ),
            fix: "see whether PostgreSQL runs and listens there: store.url, listen_addresses, pg_hba.conf, firewalls",
        }));
    }

    /// What was waited for is there.
    pub(super) fn over(&self) {
        self.0.send_if_modified(|wait| wait.take().is_some());
    }

    /// What is waited for now, as it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Wait>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_waited_for_is_told_until_it_is_there() {
        let waits = Waits::default();
        let watch = waits.watch();
        assert_eq!(*watch.borrow(), None);
        waits.teller()(&Waiting {
            attempt: 2,
            waited: Duration::from_secs(12),
            pause: Duration::from_secs(5),
            cause: "PostgreSQL is not reachable: db:5432: Connection refused".to_owned(),
        });
        let wait = watch.borrow().clone().expect("told");
        assert!(
            wait.says.contains("12 s") && wait.says.contains("db:5432"),
            "{wait:?}"
        );
        waits.over();
        assert_eq!(*watch.borrow(), None);
    }
}

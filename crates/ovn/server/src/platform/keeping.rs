//! What a platform keeps of its own, and handles that do not keep the platform.

use super::{Inner, Platform};
use crate::history::History;
use crate::journal::Journal;
use purlin_api::Problem;
use std::sync::{Arc, Weak};

/// A platform that ends when nobody else uses it.
#[derive(Clone)]
pub(crate) struct WeakPlatform(Weak<Inner>);

impl WeakPlatform {
    pub(crate) fn upgrade(&self) -> Option<Platform> {
        self.0.upgrade().map(|inner| Platform(inner, None))
    }
}

impl Platform {
    /// Begins to keep a journal of every transaction, with templates, documents and backups beside it. Said once, at the
    /// start; without it nothing of that is there.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn keep(&self, history: History) {
        self.0.history.get_or_init(|| {
            let journal = Journal::open(&history, self);
            (history, journal)
        });
    }

    pub(crate) fn weak(&self) -> WeakPlatform {
        WeakPlatform(Arc::downgrade(&self.0))
    }

    /// Where the platform keeps what is its own.
    ///
    /// # Errors
    /// 503 when it keeps nothing.
    pub(crate) fn history(&self) -> Result<&History, Problem> {
        let nothing = || Problem::not_ready("this platform keeps no history");
        self.0
            .history
            .get()
            .map(|(history, _)| history)
            .ok_or_else(nothing)
    }

    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.0.history.get().map(|(_, journal)| journal)
    }
}

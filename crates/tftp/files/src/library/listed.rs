//! What lists of directories answer, and when they are made.

use super::Inner;
use crate::directories::When;
use crate::pool::Scratch;
use crate::resolve::Root;
use purlin_tftp_core::plan::{Ask, Plan, Resolved};
use purlin_types::BootTime;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Inner {
    /// Whether a name is missing by the list of its directory. For packet threads: no system call, and no rules, whose
    /// patterns may take their time.
    pub(super) fn lacks(&self, ask: &Ask<'_>, now: BootTime) -> bool {
        let plan = self.plan();
        let simple = plan.settings().files.rules.is_empty();
        if !simple || self.directories.is_empty() || plan.depends_on_client(ask.name, false) {
            return false;
        }
        match plan.resolve(ask, None) {
            Resolved::File { root, path } => self.listed_without(&plan, &root, path.as_str(), now),
            _ => false,
        }
    }

    /// Whether the list of a directory has no such name; counted.
    pub(super) fn listed_without(&self, plan: &Plan, root: &Path, path: &str, now: BootTime) -> bool {
        let lacks = plan.settings().cache.enabled && self.directories.lack(root, path, self.when(now));
        if lacks {
            self.machine.counters.listing_hits.one();
        }
        lacks
    }

    /// A name was missed: its directory is listed, behind what others wait for.
    pub(super) fn list_around(self: &Arc<Self>, plan: &Plan, root: &Arc<Root>, path: &str) {
        let settings = plan.settings();
        let (links, ttl) = (settings.files.links, settings.cache.ttl);
        if !settings.cache.enabled || ttl.is_zero() {
            return;
        }
        let when = self.when((self.clock)());
        let Some((directory, _)) = self.notice.deepest(&root.path, path) else {
            return;
        };
        if !self.directories.wants(&root.path, directory, when) {
            return;
        }
        let (inner, root, path) = (Arc::clone(self), Arc::clone(root), Box::<str>::from(path));
        let job = move |_: &mut Scratch| {
            let _turn = inner.directories.turn();
            // All of these come before the reading: what changes after them is heard of.
            let when = inner.when((inner.clock)());
            if let Some((directory, arrivals)) = inner.notice.deepest(&root.path, &path) {
                let place = (&*root, directory, links);
                inner
                    .directories
                    .learn(&inner.resolver, place, arrivals, when, ttl);
            }
        };
        if self.machine.pool.submit(Box::new(job)).is_err() {
            drop(self.directories.turn());
        }
    }

    fn when(&self, now: BootTime) -> When {
        When {
            now,
            loose: self.loose.load(Ordering::Acquire),
        }
    }
}

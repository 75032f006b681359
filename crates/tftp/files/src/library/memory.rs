//! How long an answer is believed.

use super::Inner;
use crate::FileError;
use crate::content::{Content, Form};
use crate::memo::{Key, KeyRef};
use crate::notice::Dependence;
use purlin_types::BootTime;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What DHCP knows of a client changes when it gets its lease, and no notice tells: such answers are soon asked again.
const FACTS_TTL: Duration = Duration::from_secs(2);

/// A deleted file keeps its space on the disk at most so much longer than its name is believed.
const SWEEP_MILLIS: u64 = 10_000;

/// A name that is remembered to mean something.
#[derive(Debug)]
pub(super) enum Known {
    /// It means something else to everybody: ask again with the asker.
    PerClient,
    /// The plain content; another form is found through it, and may have had to go.
    File { content: Arc<Content>, belief: Belief },
}

/// A name that is remembered to be refused.
#[derive(Debug)]
pub(super) struct Missed {
    error: FileError,
    belief: Belief,
}

/// Until when, and unless what happens.
#[derive(Debug, Clone, Default)]
pub(super) struct Belief {
    until: BootTime,
    /// The name itself, and what a link led to. Without the first, `loose` stands for it.
    pub(super) depends: [Option<Dependence>; 2],
    loose: u32,
    /// Whether facts about the client had a say.
    pub(super) facts: bool,
}

#[derive(Debug)]
pub(super) enum Recalled {
    PerClient,
    File(Arc<Content>),
    Missed(FileError),
}

impl Inner {
    pub(super) fn remembered(&self, key: KeyRef<'_>, now: BootTime) -> Option<Recalled> {
        let known = self.known.get(key, |known| match known {
            Known::PerClient => Some(Recalled::PerClient),
            Known::File { .. } if !self.keeps(known, now) => None,
            Known::File { content, .. } if key.netascii => content
                .variant(Form::Netascii)
                .and_then(Result::ok)
                .map(Recalled::File),
            Known::File { content, .. } => Some(Recalled::File(Arc::clone(content))),
        });
        known.or_else(|| {
            self.missed.get(key, |missed| {
                self.believes(&missed.belief, now)
                    .then_some(Recalled::Missed(missed.error))
            })
        })
    }

    /// Whether a name still means what is remembered.
    pub(super) fn keeps(&self, known: &Known, now: BootTime) -> bool {
        match known {
            Known::PerClient => true,
            Known::File { content, belief } => !content.is_stale() && self.believes(belief, now),
        }
    }

    fn believes(&self, belief: &Belief, now: BootTime) -> bool {
        let [name, target] = &belief.depends;
        now < belief.until
            && match name {
                Some(name) => name.holds(),
                None => self.loose.load(Ordering::Acquire) == belief.loose,
            }
            && target.as_ref().is_none_or(Dependence::holds)
    }

    /// A belief that begins now, before anybody looks.
    pub(super) fn belief(&self) -> Belief {
        Belief {
            loose: self.loose.load(Ordering::Acquire),
            ..Belief::default()
        }
    }

    /// Remembers what a look came to (for every form the plain content), unless it was by chance or by a plan that no longer holds.
    pub(super) fn remember(
        &self,
        key: &Key,
        generation: u32,
        result: &Result<Arc<Content>, FileError>,
        mut belief: Belief,
    ) {
        let ttl = self.settings(|settings| {
            if settings.cache.enabled {
                settings.cache.ttl
            } else {
                Duration::ZERO
            }
        });
        if ttl.is_zero() || self.generation.load(Ordering::Acquire) != generation {
            return;
        }
        let ttl = if belief.facts { ttl.min(FACTS_TTL) } else { ttl };
        belief.until = (self.clock)().plus_millis(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        if key.asker.is_some() {
            let marker = Key {
                asker: None,
                ..key.clone()
            };
            drop(self.known.put(marker, Known::PerClient));
        }
        match result {
            Ok(content) => {
                let content = Arc::clone(content);
                drop(self.known.put(key.clone(), Known::File { content, belief }));
            }
            Err(FileError::Io | FileError::Busy | FileError::NoSpace) => {}
            Err(error) => {
                // A deleted file keeps its space on the disk as long as it is open here.
                drop(self.known.remove(key.as_ref()));
                self.missed.put(
                    key.clone(),
                    Missed {
                        error: *error,
                        belief,
                    },
                );
            }
        }
        if self.generation.load(Ordering::Acquire) != generation {
            // A new plan came in between, and may have looked before this was there.
            drop(self.known.remove(key.as_ref()));
            drop(self.missed.remove(key.as_ref()));
        }
    }

    /// A file changed, by this process or by word of another.
    pub(super) fn changed(&self, root: &Path, path: &str) {
        if !self.notice.touch(root, path) {
            self.loose.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Lets go of what is believed no longer, if that was not done lately.
    pub(super) fn sweep_at_times(&self) {
        let now = (self.clock)();
        let last = self.swept.load(Ordering::Relaxed);
        let due = now.millis_since(BootTime(last)) >= SWEEP_MILLIS;
        // Of several threads one does it.
        if due
            && self
                .swept
                .compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.sweep(now);
        }
    }

    pub(super) fn sweep(&self, now: BootTime) {
        self.known.retain(|known| self.keeps(known, now));
    }

    pub(super) fn forget_names(&self) {
        self.known.retain(|_| false);
        self.missed.retain(|_| false);
        self.directories.clear();
        self.roots().clear();
    }
}

//! The front of the house: names in, contents out, for any number of threads.
//!
//! ```text
//!   packet thread          recall(ask) ── remembered? ──► content or refusal, at once
//!      └─ not remembered   open(ask, done) ─► one job per name on an I/O thread ─► rules, disk, memory ─► all who wait
//! ```

mod listed;
mod look;
mod memory;
mod parts;
mod shown;
mod told;
mod uploading;

pub use parts::{CachedFile, ClientFacts, Kernel, NoFacts, OwnedAsk, Parts};
pub use uploading::Created;

use crate::content::Content;
use crate::directories::Directories;
use crate::machine::Machine;
use crate::memo::{Asker, Key, KeyRef, Memo};
use crate::metadata::{MetadataCache, Place};
use crate::notice::Notice;
use crate::pool::Scratch;
use crate::resolve::{Resolver, Root};
use crate::upload::Claims;
use crate::{Clock, FileError};
use memory::{Known, Missed, Recalled};
use purlin_tftp_core::plan::{Ask, Facts, Plan};
use purlin_tftp_core::settings::Settings;
use purlin_types::BootTime;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Names remembered to exist; each may hold a file open.
const KNOWN_MAX: usize = 16_384;
/// Names remembered not to; about 150 octets each.
const MISSED_MAX: usize = 65_536;

/// Called once with the content, on an I/O thread.
pub type Opened = Box<dyn FnOnce(Result<Arc<Content>, FileError>) + Send>;

/// Open trees, and until when each is believed to be the one at its path.
type Roots = HashMap<Arc<Path>, (Arc<Root>, BootTime)>;

/// The boot tree. Clones are handles to the same.
#[derive(Clone)]
pub struct Library(Arc<Inner>);

struct Inner {
    machine: Arc<Machine>,
    resolver: Resolver,
    plan: RwLock<Arc<Plan>>,
    /// Moves with each plan: what an older one decided is not remembered.
    generation: AtomicU32,
    facts: Arc<dyn ClientFacts>,
    clock: Clock,
    notice: Notice,
    shared: Option<Arc<dyn MetadataCache>>,
    known: Memo<Known>,
    missed: Memo<Missed>,
    directories: Directories,
    /// Moves when a file changes in a directory that nobody watches.
    loose: AtomicU32,
    /// Names that an I/O thread is looking up, with all who wait.
    pending: Mutex<HashMap<Key, Vec<Opened>>>,
    roots: Mutex<Roots>,
    uploads: Arc<Claims>,
    tmpfile: bool,
    /// When names that are believed no longer were let go of last.
    swept: AtomicU64,
}

impl Library {
    /// Starts the I/O threads. Uploads that a crash left half-written are removed in the background.
    ///
    /// # Errors
    /// Without threads or descriptors to be had.
    pub fn new(parts: Parts) -> std::io::Result<Self> {
        let settings = parts.plan.settings();
        let shared = parts.shared.clone();
        let notice = Notice::new(
            parts.kernel.inotify,
            Box::new(move |root, path| {
                if let Some(shared) = &shared {
                    let _ = shared.forget(&place(root, path));
                }
            }),
        )?;
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let files = files.map_or(KNOWN_MAX, |limit| usize::try_from(limit / 2).unwrap_or(KNOWN_MAX));
        let inner = Arc::new(Inner {
            machine: Machine::new(&settings.cache, &settings.io),
            resolver: Resolver::new(parts.kernel.openat2),
            plan: RwLock::new(Arc::clone(&parts.plan)),
            generation: AtomicU32::new(0),
            facts: parts.facts,
            clock: parts.clock,
            notice,
            shared: parts.shared,
            known: Memo::new(KNOWN_MAX.min(files)),
            missed: Memo::new(MISSED_MAX),
            directories: Directories::default(),
            loose: AtomicU32::new(0),
            pending: Mutex::default(),
            roots: Mutex::default(),
            uploads: Arc::default(),
            tmpfile: parts.kernel.tmpfile,
            swept: AtomicU64::new(0),
        });
        if let Some(shared) = &inner.shared {
            let inner = Arc::downgrade(&inner);
            shared.listen(Arc::new(move |place| {
                if let Some(inner) = inner.upgrade() {
                    inner.changed(Path::new(&place.root), &place.path);
                }
            }));
        }
        let library = Self(inner);
        library.remove_leftovers(settings);
        Ok(library)
    }

    /// What is known of a client. May wait: not for packet threads.
    #[must_use]
    pub fn facts(&self, client: IpAddr) -> Option<Facts> {
        self.0.facts.facts(client)
    }

    /// From now on by another plan. Running transfers keep their contents.
    pub fn apply(&self, plan: &Arc<Plan>) {
        let settings = plan.settings();
        self.0.machine.apply(&settings.cache, &settings.io);
        *self.0.plan.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(plan);
        self.0.generation.fetch_add(1, Ordering::AcqRel);
        self.0.forget_names();
        self.remove_leftovers(settings);
    }

    /// What is remembered of a name: its content, or why there is none. No system call, no wait for the disk; `None`
    /// sends the caller to [`Self::open`].
    pub fn recall(&self, ask: &Ask<'_>, netascii: bool) -> Option<Result<Arc<Content>, FileError>> {
        if ask.write {
            return None;
        }
        let inner = &*self.0;
        let now = (inner.clock)();
        let mut key = KeyRef {
            name: ask.name,
            netascii,
            asker: None,
        };
        let mut recalled = inner.remembered(key, now);
        if matches!(recalled, Some(Recalled::PerClient)) {
            key.asker = Some(asker(ask));
            recalled = inner.remembered(key, now);
        }
        let Some(recalled) = recalled else {
            return inner.lacks(ask, now).then_some(Err(FileError::NotFound));
        };
        match recalled {
            Recalled::File(content) => {
                inner.machine.counters.hits.one();
                Some(Ok(content))
            }
            Recalled::Missed(error) => {
                inner.machine.counters.negative_hits.one();
                Some(Err(error))
            }
            Recalled::PerClient => None,
        }
    }

    /// Looks a name up on an I/O thread. Everybody who asks for the same meanwhile waits for the same look.
    ///
    /// `done` may hear `Busy` on the asking thread when too much waits. With `io.asynchronous` off all of it happens
    /// before this returns.
    pub fn open(&self, ask: OwnedAsk, netascii: bool, done: Opened) {
        let inner = &self.0;
        inner.machine.counters.misses.one();
        // Before the plan: what a newer plan decides may be thrown away, what an older one did must be.
        let generation = inner.generation.load(Ordering::Acquire);
        let plan = inner.plan();
        let own = plan
            .depends_on_client(&ask.name, false)
            .then(|| asker(&ask.as_ask()));
        let key = Key {
            name: ask.name.clone(),
            netascii,
            asker: own,
        };
        let mut pending = inner.pending();
        if let Some(waiting) = pending.get_mut(&key) {
            return waiting.push(done);
        }
        pending.insert(key.clone(), vec![done]);
        drop(pending);
        let (job_inner, job_key) = (Arc::clone(inner), key.clone());
        let job =
            move |scratch: &mut Scratch| job_inner.look_up(&plan, &ask, (&job_key, generation), scratch);
        if inner.machine.pool.submit(Box::new(job)).is_err() {
            inner.machine.counters.refused_busy.one();
            inner.answer(&key, &Err(FileError::Busy));
        }
    }

    /// Forgets every name, and all content that no transfer has.
    pub fn drop_all(&self) {
        self.0.forget_names();
        for content in self.0.machine.contents() {
            if let Some(content) = content.upgrade() {
                self.0.machine.ring.release(content.evict_all());
            }
        }
    }

    /// Lets go of files whose names are believed no longer, so that deleted ones give their space back. Happens by
    /// itself every ten seconds in which names are looked up; a timer may call it on an idle server.
    pub fn sweep(&self) {
        self.0.sweep((self.0.clock)());
    }
}

impl Inner {
    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn settings<T>(&self, pick: impl FnOnce(&Settings) -> T) -> T {
        pick(self.plan().settings())
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Key, Vec<Opened>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody who waits for a name.
    fn answer(&self, key: &Key, result: &Result<Arc<Content>, FileError>) {
        let waiting = self.pending().remove(key).unwrap_or_default();
        for done in waiting {
            done(result.clone());
        }
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Library({} files)", self.0.machine.files())
    }
}

fn asker(ask: &Ask<'_>) -> Asker {
    Asker {
        client: ask.client.to_canonical(),
        server: ask.server,
        scheme: ask.scheme,
    }
}

fn place(root: &Path, path: &str) -> Place {
    Place {
        root: root.to_string_lossy().into_owned(),
        path: path.to_owned(),
    }
}

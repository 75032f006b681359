//! Whole directories by the names in them: a name that is not there costs no look at the disk, whoever asks for it.
//!
//! ```text
//!   "pxelinux.cfg/01-…" ─► listed, believed, name not in it ─► not found, at once
//!                      └─ else one look; a miss ─► the deepest directory on the way is listed on an I/O thread
//! ```
//!
//! PXELINUX asks for ten names before the one that is there, each machine for others, so remembering names alone helps
//! nobody on a first boot. A list is believed for some seconds, and while no name came into the directory (`notice`);
//! then its directory is looked at once, and believed again if nothing changed. Names are kept as 64-bit hashes: two
//! that share one lead to a look, never to a wrong answer.

mod list;

use crate::notice::Arrivals;
use crate::resolve::{Resolver, Root};
use crate::stats::Count;
use hashbrown::{Equivalent, HashMap};
use list::{List, Version, read, version};
use purlin_tftp_core::settings::Links;
use purlin_types::BootTime;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// Names in all lists together; 9 to 18 octets each.
const NAMES_MAX: usize = 1 << 20;
/// A list is believed so long at most without a look at its directory, as roots are.
const BELIEVED: Duration = Duration::from_secs(5);
/// A directory that names keep coming into is read again no sooner.
const AGAIN: Duration = Duration::from_secs(1);
/// One that cannot be kept as a list is tried again no sooner.
const RETRY: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    root: Arc<Path>,
    path: Box<str>,
}

struct PlaceRef<'a> {
    root: &'a Path,
    path: &'a str,
}

impl Hash for PlaceRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.root.hash(state);
        self.path.hash(state);
    }
}

impl Equivalent<Place> for PlaceRef<'_> {
    fn equivalent(&self, key: &Place) -> bool {
        *self.path == *key.path && *self.root == *key.root
    }
}

/// One directory as it was read.
#[derive(Debug)]
struct Listing {
    /// `None`: it cannot be kept, and names are looked up one by one.
    list: Option<List>,
    version: Version,
    arrivals: Arrivals,
    /// The count of changes where nobody watches, as it was before.
    loose: u32,
    read: BootTime,
    /// [`BootTime`] until when it is believed.
    until: AtomicU64,
}

/// When a question is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) now: BootTime,
    pub(crate) loose: u32,
}

impl Listing {
    fn holds(&self, when: When) -> bool {
        when.now.0 < self.until.load(Ordering::Relaxed) && self.loose == when.loose && self.arrivals.hold()
    }

    fn names(&self) -> usize {
        self.list.as_ref().map_or(0, List::len)
    }
}

type Known = HashMap<Place, Listing, foldhash::fast::RandomState>;

/// The lists of all directories in which names were missed.
#[derive(Debug, Default)]
pub(crate) struct Directories {
    known: RwLock<Known>,
    /// Lists are read one at a time, so that a storm of misses is one reader.
    busy: AtomicBool,
    pub(crate) reads: Count,
}

/// Lets the next reader in, also when this one fails.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Directories {
    /// Whether a list that is believed has no such name. No system call.
    pub(crate) fn lack(&self, root: &Path, path: &str, when: When) -> bool {
        let known = self.read();
        let mut rest = path;
        loop {
            let (parent, name) = rest.rsplit_once('/').unwrap_or(("", rest));
            let listing = known.get(&PlaceRef { root, path: parent });
            // One that is gone is missed where it was.
            if let Some(listing) = listing.filter(|listing| listing.arrivals.alive()) {
                let lacks = |list: &List| list.lacks(name);
                return listing.holds(when) && listing.list.as_ref().is_some_and(lacks);
            }
            // A directory that is not there is missed where it should be.
            if parent.is_empty() {
                return false;
            }
            rest = parent;
        }
    }

    /// Whether reading the directory now would be of use; takes the turn to do it. [`Self::turn`] gives it back.
    pub(crate) fn wants(&self, root: &Path, path: &str, when: When) -> bool {
        let wanted = self.read().get(&PlaceRef { root, path }).is_none_or(|listing| {
            let age = Duration::from_millis(when.now.millis_since(listing.read));
            match listing.list {
                _ if !listing.arrivals.alive() => true,
                None => age >= RETRY,
                Some(_) if listing.arrivals.hold() => !listing.holds(when),
                Some(_) => age >= AGAIN,
            }
        });
        wanted && !self.busy.swap(true, Ordering::Acquire)
    }

    /// The turn that [`Self::wants`] took.
    pub(crate) fn turn(&self) -> Turn<'_> {
        Turn(&self.busy)
    }

    /// Reads a directory, or only looks whether it is as it was. `arrivals` and `when` are from before.
    pub(crate) fn learn(
        &self,
        resolver: &Resolver,
        (root, path, links): (&Root, &str, Links),
        arrivals: Arrivals,
        when: When,
        ttl: Duration,
    ) {
        let ttl = u64::try_from(ttl.min(BELIEVED).as_millis()).expect("a few seconds");
        let until = when.now.plus_millis(ttl);
        let Ok(handle) = resolver.directory(root, path, links) else {
            return;
        };
        // The directory that is watched may have been moved away, and another be in its place.
        let Some(version) = version(&handle).filter(|version| arrivals.watch(version.device, version.inode))
        else {
            return;
        };
        let place = PlaceRef {
            root: &root.path,
            path,
        };
        if let Some(listing) = self.read().get(&place)
            && listing.version == version
            && listing.loose == when.loose
            && listing.arrivals.hold()
        {
            return listing.until.store(until.0, Ordering::Relaxed);
        }
        self.reads.one();
        let listing = Listing {
            list: read(&handle),
            version,
            arrivals,
            loose: when.loose,
            read: when.now,
            until: AtomicU64::new(until.0),
        };
        let place = Place {
            root: Arc::clone(&root.path),
            path: path.into(),
        };
        self.put(place, listing);
    }

    fn put(&self, place: Place, listing: Listing) {
        let mut known = self.write();
        known.retain(|_, listing| listing.arrivals.alive());
        let names: usize = known.values().map(Listing::names).sum();
        if names + listing.names() > NAMES_MAX {
            known.clear();
        }
        known.insert(place, listing);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    pub(crate) fn clear(&self) {
        self.write().clear();
    }

    /// Directories that are kept as lists, and the names in them.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let known = self.read();
        let listed = known.values().filter(|listing| listing.list.is_some()).count();
        (listed, known.values().map(Listing::names).sum())
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Notices of changes: which remembered answers the disk has overtaken.
//!
//! A directory in use is watched (inotify). Each has 64 marks, and a name's mark moves when the kernel tells of the
//! name; an answer remembers its mark as it was before the look at the disk. So a packet thread finds out with two
//! loads that nothing happened. Directories that cannot be watched, and changes that no watch sees (network file
//! systems, links into elsewhere), are left to the time an answer is believed.

mod dir;
mod listen;

pub(crate) use dir::{Arrivals, Dependence};

use crate::resolve::{Resolver, Root};
use crate::stats::Count;
use dir::Dir;
use purlin_tftp_core::settings::Links;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Directories watched at most; a kernel gives each user 8,192 or more.
const DIRS_MAX: usize = 4_096;

const EVENTS: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Told the root and the path below it of every change.
pub(crate) type Listener = Box<dyn Fn(&Path, &str) + Send + Sync>;

/// The watched directories and the thread that listens. It ends with this value.
pub(crate) struct Notice {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` where the kernel gives no inotify: every look is believed for its time only.
    inotify: Option<OwnedFd>,
    stop: OwnedFd,
    dirs: Mutex<Dirs>,
    lost: Count,
    listener: Listener,
}

#[derive(Default)]
struct Dirs {
    by_path: HashMap<(Arc<Path>, Box<str>), Arc<Dir>>,
    /// Several paths may lead to one directory.
    by_watch: HashMap<i32, Vec<Arc<Dir>>>,
}

impl Notice {
    /// `watching: false` is a kernel without inotify.
    ///
    /// # Errors
    /// Without descriptors or threads to be had.
    pub(crate) fn new(watching: bool, listener: Listener) -> std::io::Result<Self> {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        let inotify = watching.then(|| inotify::init(flags).ok()).flatten();
        let shared = Arc::new(Shared {
            inotify,
            stop: eventfd(0, EventfdFlags::CLOEXEC)?,
            dirs: Mutex::default(),
            lost: Count::default(),
            listener,
        });
        if shared.inotify.is_some() {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name("purlin-files-watch".to_owned())
                .spawn(move || shared.listen())?;
        }
        Ok(Self { shared })
    }

    /// Watches the directories on the way to `path`, as far as they exist, before anybody looks at it.
    pub(crate) fn depend(
        &self,
        resolver: &Resolver,
        root: &Root,
        path: &str,
        links: Links,
    ) -> Option<Dependence> {
        let inotify = self.shared.inotify.as_ref()?;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut dirs = self.shared.dirs();
        if let Some(dir) = dirs.get(&root.path, parent) {
            return Some(dir.dependence(name));
        }
        let mut above = dirs.watch(inotify, resolver, root, "", links)?;
        let mut start = 0;
        while let Some(end) = path[start..].find('/').map(|at| start + at) {
            match dirs.watch(inotify, resolver, root, &path[..end], links) {
                Some(dir) => above = dir,
                // It is not there: the answer changes when it comes.
                None => return Some(above.dependence(&path[start..end])),
            }
            start = end + 1;
        }
        Some(above.dependence(&path[start..]))
    }

    /// Watches the one directory that a link led to; `path` is without links, below `slash`, the root of everything.
    pub(crate) fn depend_on_target(
        &self,
        resolver: &Resolver,
        slash: &Root,
        path: &str,
    ) -> Option<Dependence> {
        let inotify = self.shared.inotify.as_ref()?;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let dir = self
            .shared
            .dirs()
            .watch(inotify, resolver, slash, parent, Links::Anywhere)?;
        Some(dir.dependence(name))
    }

    /// This process changed a file itself.
    /// `false` when the directory is not watched.
    pub(crate) fn touch(&self, root: &Path, path: &str) -> bool {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let dir = self.shared.dirs().get(root, parent);
        // In this order: who no longer finds the name remembered must not find it lacking.
        dir.inspect(|dir| dir.arrive())
            .inspect(|dir| dir.touch(name))
            .is_some()
    }

    /// The deepest directory on the way to `path` that is watched, and its arrivals from now on.
    pub(crate) fn deepest<'p>(&self, root: &Path, path: &'p str) -> Option<(&'p str, Arrivals)> {
        let dirs = self.shared.dirs();
        let mut rest = path;
        loop {
            let parent = rest.rsplit_once('/').map_or("", |(parent, _)| parent);
            if let Some(dir) = dirs.get(root, parent) {
                return Some((parent, dir.arrivals()));
            }
            if parent.is_empty() {
                return None;
            }
            rest = parent;
        }
    }

    /// Directories watched, and notices lost.
    pub(crate) fn sizes(&self) -> (usize, u64) {
        (self.shared.dirs().by_path.len(), self.shared.lost.get())
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.shared.stop, &1u64.to_ne_bytes());
    }
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Notice({} directories)", self.sizes().0)
    }
}

impl Shared {
    fn dirs(&self) -> MutexGuard<'_, Dirs> {
        self.dirs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dirs {
    fn get(&self, root: &Path, path: &str) -> Option<Arc<Dir>> {
        self.by_path.get(&(Arc::from(root), Box::from(path))).cloned()
    }

    /// `None` when it cannot be watched: not there, not allowed, or too many.
    fn watch(
        &mut self,
        inotify: &OwnedFd,
        resolver: &Resolver,
        root: &Root,
        path: &str,
        links: Links,
    ) -> Option<Arc<Dir>> {
        if let Some(dir) = self.get(&root.path, path) {
            return Some(dir);
        }
        if self.by_path.len() >= DIRS_MAX {
            return None;
        }
        let handle = resolver.directory(root, path, links).ok()?;
        // By its handle, so that what is watched is what was resolved.
        let place = format!("/proc/self/fd/{}", handle.as_raw_fd());
        let stat = rustix::fs::fstat(&handle).ok()?;
        let watch = inotify::add_watch(inotify, place, EVENTS).ok()?;
        let root = Arc::clone(&root.path);
        let identity = (stat.st_dev, stat.st_ino);
        let dir = Arc::new(Dir::new((Arc::clone(&root), path), identity, watch));
        self.by_path.insert((root, path.into()), Arc::clone(&dir));
        self.by_watch.entry(watch).or_default().push(Arc::clone(&dir));
        Some(dir)
    }

    /// Forgets the directories that `gone` names; returns the watches nobody needs any more.
    fn kill(&mut self, gone: impl Fn(&Dir) -> bool) -> Vec<i32> {
        let dead: Vec<_> = self
            .by_path
            .extract_if(|_, dir| gone(dir))
            .map(|(_, dir)| dir)
            .collect();
        let mut free = Vec::new();
        for dir in dead {
            dir.kill();
            if let Some(users) = self.by_watch.get_mut(&dir.watch) {
                users.retain(|user| !Arc::ptr_eq(user, &dir));
                if users.is_empty() {
                    self.by_watch.remove(&dir.watch);
                    free.push(dir.watch);
                }
            }
        }
        free
    }
}

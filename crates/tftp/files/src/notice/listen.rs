//! The thread that hears of changes.

use super::{Dir, Shared};
use crate::UPLOAD_PREFIX;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, ReadFlags, Reader};
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// Octets of notices taken at once.
const BUFFER: usize = 16 << 10;

/// The directory itself is no longer where it was, or no longer watched.
const GONE: ReadFlags = ReadFlags::DELETE_SELF
    .union(ReadFlags::MOVE_SELF)
    .union(ReadFlags::UNMOUNT)
    .union(ReadFlags::IGNORED);

/// A name means another file or directory than before.
const MOVES: ReadFlags = ReadFlags::CREATE
    .union(ReadFlags::DELETE)
    .union(ReadFlags::MOVED_FROM)
    .union(ReadFlags::MOVED_TO);

/// A name is there that was not.
const ARRIVALS: ReadFlags = ReadFlags::CREATE.union(ReadFlags::MOVED_TO);

impl Shared {
    pub(super) fn listen(&self) {
        let Some(inotify) = &self.inotify else { return };
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        loop {
            let mut waits = [
                PollFd::new(inotify, PollFlags::IN),
                PollFd::new(&self.stop, PollFlags::IN),
            ];
            match poll(&mut waits, None) {
                Ok(_) if !waits[1].revents().is_empty() => return,
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return self.lose(),
            }
            let mut events = Reader::new(inotify, &mut buffer);
            loop {
                match events.next() {
                    Ok(event) => {
                        let name = event.file_name().map(|name| name.to_string_lossy());
                        self.hear(event.wd(), event.events(), name.as_deref());
                    }
                    Err(Errno::AGAIN) => break,
                    Err(Errno::INTR) => {}
                    Err(_) => return self.lose(),
                }
            }
        }
    }

    pub(super) fn hear(&self, watch: i32, events: ReadFlags, name: Option<&str>) {
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            return self.lose();
        }
        let mut dirs = self.dirs();
        let heard = dirs.by_watch.get(&watch).cloned().unwrap_or_default();
        let mut free = Vec::new();
        for dir in &heard {
            match name {
                Some(name) if name.starts_with(UPLOAD_PREFIX) => {}
                Some(name) => {
                    // In this order: who no longer finds the name remembered must not find it lacking.
                    if events.intersects(ARRIVALS) {
                        dir.arrive();
                    }
                    dir.touch(name);
                    if !events.intersects(MOVES) {
                        continue;
                    }
                    let child = join(&dir.path, name);
                    // Also for a link to a directory, which is no directory to the notice.
                    free.extend(dirs.kill(|other| below(other, dir, &child)));
                }
                None if events.intersects(GONE) => {
                    free.extend(dirs.kill(|other| {
                        other.path == dir.path && other.root == dir.root || below(other, dir, &dir.path)
                    }));
                }
                None => {}
            }
        }
        drop(dirs);
        self.unwatch(&free);
        for dir in heard {
            (self.listener)(&dir.root, &join(&dir.path, name.unwrap_or("")));
        }
    }

    /// Notices were lost: whatever is remembered may be wrong.
    fn lose(&self) {
        self.lost.one();
        let free = self.dirs().kill(|_| true);
        self.unwatch(&free);
    }

    fn unwatch(&self, watches: &[i32]) {
        for watch in watches {
            // One that the kernel took away itself is an error here, and that is fine.
            let _ = self
                .inotify
                .as_ref()
                .map(|inotify| inotify::remove_watch(inotify, *watch));
        }
    }
}

fn join(dir: &str, name: &str) -> String {
    match (dir, name) {
        ("", name) => name.to_owned(),
        (dir, "") => dir.to_owned(),
        (dir, name) => format!("{dir}/{name}"),
    }
}

/// Whether `other` is `child` of `dir`, or further below it.
fn below(other: &Dir, dir: &Dir, child: &str) -> bool {
    let rest = other.path.strip_prefix(child);
    let under = child.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    under && other.root == dir.root
}

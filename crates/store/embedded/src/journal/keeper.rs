//! The keeper thread: everything slow that the packet thread must not do and syncs must not wait for.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::checkpoint::Task;
use super::desk::Desk;
use super::header::{FileHeader, FileKind};
use super::layout;
use super::shared::{Segment, Shared};
use crate::medium::{Medium, is_full};

/// How much is written to learn whether writes find space again.
const PROBE: usize = 64 << 10;

enum Work {
    Spare(u64),
    /// See whether there is space again.
    Space,
    Task(Task),
    Stop,
}

pub(crate) fn run(shared: &Shared) {
    let mut desk = Desk::default();
    loop {
        match next_work(shared) {
            Work::Spare(number) => make_spare(shared, number),
            Work::Space => look_for_space(shared),
            Work::Task(task) => desk.work(shared, task),
            Work::Stop => return,
        }
    }
}

fn next_work(shared: &Shared) -> Work {
    let mut files = shared.files();
    loop {
        let stopping = shared.stop.load(Ordering::Acquire);
        if shared.failed() {
            files.tasks.clear();
        } else if files.spare.is_none() && !files.no_space && !stopping {
            files.next_number += 1;
            return Work::Spare(files.next_number - 1);
        }
        // Waiting inside a publication would be a deadlock: the frames it waits for may need the next segment.
        let durable = shared.durable.load(Ordering::SeqCst);
        let ready = files.tasks.front().is_some_and(|task| task.is_ready(durable));
        if ready && let Some(task) = files.tasks.pop_front() {
            return Work::Task(task);
        }
        // Dropping a journal flushes it first: what is not ready now never will be.
        if stopping {
            return Work::Stop;
        }
        if files.no_space && !shared.failed() {
            let (woken, time_over) = shared.wait_retry(files);
            files = woken;
            if time_over {
                return Work::Space;
            }
        } else if files.tasks.is_empty() {
            files = shared.wait(files);
        } else {
            files = shared.wait_or_sync(files, durable);
        }
    }
}

fn make_spare(shared: &Shared, number: u64) {
    match create_segment(shared, number) {
        Ok(segment) => {
            let mut files = shared.files();
            files.spare = Some(segment);
            files.no_space = files.write_refused;
            let news = !files.no_space && shared.now_ready();
            drop(files);
            shared.notify();
            shared.unpark_sync();
            if news {
                shared.wake_owner();
            }
        }
        Err(error) if is_full(&error) => {
            shared.files().no_space = true;
            shared.notify();
            shared.unpark_sync();
        }
        Err(error) => drop(shared.fail(error)),
    }
}

/// The file gets its name once it is whole, so a file of that name with a bad header is damage.
fn create_segment(shared: &Shared, number: u64) -> io::Result<Arc<Segment>> {
    let path = shared.segment_path(number);
    let unfinished = layout::unfinished(&path);
    let medium = shared.medium.as_ref();
    let created = prepare_segment(shared, number, &unfinished);
    if created.is_err() {
        let _ = medium.remove(&unfinished);
    }
    let segment = created?;
    medium.rename(&unfinished, &path)?;
    medium.sync_dir(&shared.dir)?;
    Ok(segment)
}

fn prepare_segment(shared: &Shared, number: u64, path: &Path) -> io::Result<Arc<Segment>> {
    let header = FileHeader::new(FileKind::Segment, number, 0, &shared.name)?;
    let file = shared.medium.create(path)?;
    let capacity = shared.options.segment_bytes;
    file.preallocate(capacity)?;
    file.write_at(0, &header.encode())?;
    file.sync()?;
    Ok(Arc::new(Segment {
        number,
        salt: header.salt,
        capacity,
        file,
    }))
}

fn look_for_space(shared: &Shared) {
    let refused = shared.files().write_refused;
    if refused && probe(shared.medium.as_ref(), &shared.dir).is_err() {
        return;
    }
    let mut files = shared.files();
    files.write_refused = false;
    // With a spare there is space; without one, making it will tell.
    files.no_space = false;
    let news = files.spare.is_some() && shared.now_ready();
    drop(files);
    shared.unpark_sync();
    if news {
        shared.wake_owner();
    }
}

fn probe(medium: &dyn Medium, dir: &Path) -> io::Result<()> {
    let path = layout::unfinished(&dir.join("space"));
    let written = medium
        .create(&path)
        .and_then(|file| file.write_at(0, &[0; PROBE]).and_then(|()| file.sync()));
    written.and(medium.remove(&path))
}

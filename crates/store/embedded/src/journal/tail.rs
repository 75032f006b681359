//! The end of the log: whoever writes frames into the segments holds this, the sync thread most of the time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use purlin_store::AppendError;

use super::frame::{self, space};
use super::gather::Gather;
use super::header::FILE_HEADER;
use super::shared::{LogSegment, Segment, Shared};
use crate::medium::is_full;

/// Octets for one system call at most, unless a single frame is longer.
const WRITE_MAX: usize = 1 << 20;

/// Where the next frame goes.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) segment: Option<Arc<Segment>>,
    offset: u64,
    /// Position of the last frame in the file.
    position: u64,
    /// What was taken from `Shared::gather` to be written.
    taken: Gather,
    buffer: Vec<u8>,
}

/// What to do when the next segment is not ready, although there is space for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    Wait,
    /// Leave it for later: the keeper unparks the sync thread when it is ready.
    Later,
}

impl Tail {
    pub(crate) fn new(position: u64) -> Self {
        Self {
            segment: None,
            offset: FILE_HEADER as u64,
            position,
            taken: Gather::default(),
            buffer: Vec::new(),
        }
    }

    /// Writes all that was gathered, in as few calls as the segments allow. What cannot be written stays, in
    /// order, for the next try; `false` when it waits for a segment that is being prepared.
    pub(crate) fn write_gathered(
        &mut self,
        shared: &Shared,
        patience: Patience,
    ) -> Result<bool, AppendError> {
        loop {
            if let Some(failure) = shared.failure() {
                return Err(failure);
            }
            if self.taken.is_done() {
                std::mem::swap(&mut self.taken, &mut *shared.gather());
            }
            let Some(first) = self.taken.rest().next() else {
                return Ok(true);
            };
            let needed = space(first.len());
            if !self.make_room(shared, needed, patience)? {
                return Ok(false);
            }
            self.write_run(shared)?;
        }
    }

    /// Writes one frame at once, behind all that was gathered.
    pub(crate) fn write_now(&mut self, shared: &Shared, payload: &[u8]) -> Result<(), AppendError> {
        self.write_gathered(shared, Patience::Wait)?;
        self.make_room(shared, space(payload.len()), Patience::Wait)?;
        self.buffer.clear();
        let (salt, _) = self.place();
        frame::encode(&mut self.buffer, salt, self.position + 1, synced(shared), payload);
        self.write_buffer(shared, 1)
    }

    /// Writes as many of the taken frames as go into the segment and one call; at least one.
    fn write_run(&mut self, shared: &Shared) -> Result<(), AppendError> {
        let (salt, room) = self.place();
        let synced = synced(shared);
        let mut count = 0;
        self.buffer.clear();
        for payload in self.taken.rest() {
            let end = self.buffer.len() + space(payload.len());
            if count > 0 && (end as u64 > room || end > WRITE_MAX) {
                break;
            }
            count += 1;
            let position = self.position + count;
            frame::encode(&mut self.buffer, salt, position, synced, payload);
        }
        self.write_buffer(shared, count)?;
        let octets = self.taken.advance(count as usize);
        shared.gathered.fetch_sub(octets, Ordering::SeqCst);
        Ok(())
    }

    /// Puts `count` encoded frames at the end of the segment.
    fn write_buffer(&mut self, shared: &Shared, count: u64) -> Result<(), AppendError> {
        let segment = self.segment.as_ref().expect("room was made");
        if let Err(error) = segment.file.write_at(self.offset, &self.buffer) {
            return Err(refuse(shared, error));
        }
        self.offset += self.buffer.len() as u64;
        self.position += count;
        if self.buffer.capacity() > 2 * WRITE_MAX {
            self.buffer = Vec::new();
        }
        shared.written.store(self.position, Ordering::Release);
        Ok(())
    }

    /// The salt of the segment and the octets left in it.
    fn place(&self) -> (u32, u64) {
        let segment = self.segment.as_ref().expect("room was made");
        (segment.salt, segment.capacity.saturating_sub(self.offset))
    }

    /// Goes to the next segment unless `needed` octets fit into the present one.
    fn make_room(&mut self, shared: &Shared, needed: usize, patience: Patience) -> Result<bool, AppendError> {
        let fits = self.segment.as_ref().is_some_and(|segment| {
            self.offset + needed as u64 <= segment.capacity || self.offset == FILE_HEADER as u64
        });
        if fits {
            return Ok(true);
        }
        let Some(next) = next_segment(shared, self.position, patience)? else {
            return Ok(false);
        };
        self.segment = Some(next);
        self.offset = FILE_HEADER as u64;
        Ok(true)
    }
}

fn synced(shared: &Shared) -> u64 {
    shared.durable.load(Ordering::Acquire)
}

fn refuse(shared: &Shared, error: io::Error) -> AppendError {
    if !is_full(&error) {
        return shared.fail(error);
    }
    let mut files = shared.files();
    files.no_space = true;
    files.write_refused = true;
    shared.now_full();
    drop(files);
    shared.notify();
    shared.wake_owner();
    AppendError::Full
}

/// Takes the spare into the log.
pub(crate) fn next_segment(
    shared: &Shared,
    position: u64,
    patience: Patience,
) -> Result<Option<Arc<Segment>>, AppendError> {
    let mut files = shared.files();
    loop {
        if let Some(failure) = shared.failure() {
            return Err(failure);
        }
        if let Some(spare) = files.spare.take() {
            if let Some(present) = files.segments.back_mut() {
                present.last = present.last.min(position);
            }
            files.segments.push_back(LogSegment {
                segment: spare.clone(),
                last: u64::MAX,
            });
            drop(files);
            shared.notify();
            return Ok(Some(spare));
        }
        if files.no_space {
            let news = shared.now_full();
            drop(files);
            if news {
                shared.notify();
                shared.wake_owner();
            }
            return Err(AppendError::Full);
        }
        if patience == Patience::Later {
            return Ok(None);
        }
        files = shared.wait(files);
    }
}

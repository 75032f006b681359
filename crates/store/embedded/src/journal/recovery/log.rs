//! The log after a crash: where does certain history end, and was anything lost that had been durable?
//!
//! A power cut may keep any subset of the frames that were not yet synced, so a hole followed by a whole frame
//! is no damage in itself. Every frame says up to where the log was durable when it was written: only a frame
//! after the hole that vouches for the hole proves damage.

use std::collections::VecDeque;
use std::sync::Arc;

use purlin_store::{OpenError, Replay};

use super::{Found, Site, damaged, failed};
use crate::journal::frame::FrameHeader;
use crate::journal::header::{FILE_HEADER, FileKind};
use crate::journal::layout;
use crate::journal::reader::{Item, Reader};
use crate::journal::shared::{LogSegment, Segment};

/// A frame whose position is further ahead than this is no survivor of the torn tail, but chance.
const SURVIVOR_REACH: u64 = 1 << 32;

pub(super) struct RecoveredLog {
    pub(super) last: u64,
    pub(super) segments: VecDeque<LogSegment>,
    pub(super) bytes: u64,
    pub(super) torn: bool,
}

/// The unbroken run of frames.
struct Chain {
    last: u64,
    bytes: u64,
    /// Index of the segment in which it ends, and where.
    end: Option<(usize, u64)>,
    /// Last position and end of each segment of it.
    ends: Vec<(u64, u64)>,
    torn: bool,
}

impl Site<'_> {
    pub(super) fn replay_log(
        self,
        numbers: &[u64],
        covers: u64,
        replay: Replay<'_>,
    ) -> Result<RecoveredLog, OpenError> {
        let mut found = Vec::new();
        for number in numbers {
            found.push(self.find(*number)?);
        }
        // A segment is needed no more when the checkpoint covers all up to the start of a later one.
        let start = found
            .iter()
            .rposition(|segment| segment.first.is_some_and(|first| first <= covers + 1));
        for obsolete in found.drain(..start.unwrap_or(0)) {
            self.remove(&obsolete.path)?;
        }
        let chain = follow(&found, covers, replay)?;
        if let Some((index, offset)) = chain.end {
            look_for_lost(&found[index..], offset, chain.last)?;
        }
        let last = chain.last.max(covers);
        let segments = self.settle(found, &chain)?;
        Ok(RecoveredLog {
            last,
            segments,
            bytes: chain.bytes,
            torn: chain.torn,
        })
    }

    fn find(self, number: u64) -> Result<Found, OpenError> {
        let path = layout::segment(self.dir, number);
        let (file, header) = self.open(&path, FileKind::Segment, number)?;
        let first = match Reader::new(file.clone(), header.salt)
            .next()
            .map_err(failed("reading", &path))?
        {
            Item::Frame { header, .. } => Some(header.position),
            _ => None,
        };
        Ok(Found {
            number,
            path,
            salt: header.salt,
            file,
            first,
        })
    }

    /// Makes what was replayed durable and the rest of it gone, before anything new is accepted.
    fn settle(self, found: Vec<Found>, chain: &Chain) -> Result<VecDeque<LogSegment>, OpenError> {
        let mut segments = VecDeque::new();
        // Newest first: what lies behind the tail must never outlive the tail.
        for (index, segment) in found.into_iter().enumerate().rev() {
            match chain.ends.get(index) {
                Some((last, end)) if *end > FILE_HEADER as u64 => {
                    segment
                        .file
                        .truncate(*end)
                        .map_err(failed("cutting", &segment.path))?;
                    segment.file.sync().map_err(failed("syncing", &segment.path))?;
                    let Found {
                        number, salt, file, ..
                    } = segment;
                    let segment = Arc::new(Segment {
                        number,
                        salt,
                        capacity: *end,
                        file,
                    });
                    segments.push_front(LogSegment { segment, last: *last });
                }
                _ => self.remove(&segment.path)?,
            }
        }
        Ok(segments)
    }
}

/// Replays frames as long as each follows the one before it.
fn follow(found: &[Found], covers: u64, replay: Replay<'_>) -> Result<Chain, OpenError> {
    let mut chain = Chain {
        last: covers,
        bytes: 0,
        end: None,
        ends: Vec::new(),
        torn: false,
    };
    if let Some(first) = found.first().and_then(|segment| segment.first) {
        if first > covers + 1 {
            return Err(damaged(
                &found[0].path,
                FILE_HEADER as u64,
                "the log before it is missing",
            ));
        }
        chain.last = first.saturating_sub(1);
    }
    for (index, segment) in found.iter().enumerate() {
        let mut reader = Reader::new(segment.file.clone(), segment.salt);
        let mut before = reader.offset();
        loop {
            match reader.next().map_err(failed("reading", &segment.path))? {
                Item::Frame { header, payload } if header.position == chain.last + 1 => {
                    chain.last += 1;
                    if chain.last > covers {
                        replay(payload);
                        chain.bytes += reader.offset() - before;
                    }
                }
                Item::End => break,
                _ => {
                    chain.torn = true;
                    break;
                }
            }
            before = reader.offset();
        }
        chain.ends.push((chain.last, before));
        let goes_on = found
            .get(index + 1)
            .is_some_and(|next| next.first == Some(chain.last + 1));
        if !goes_on {
            chain.end = Some((index, before));
            break;
        }
    }
    Ok(chain)
}

/// Refuses when a frame behind the end of the chain says that more than the chain had been durable.
fn look_for_lost(rest: &[Found], offset: u64, last: u64) -> Result<(), OpenError> {
    let proves_loss = |header: &FrameHeader| {
        header.position > last && header.position - last < SURVIVOR_REACH && header.synced > last
    };
    for (index, segment) in rest.iter().enumerate() {
        let mut reader = Reader::new(segment.file.clone(), segment.salt);
        if index == 0 {
            reader.skip_to(offset);
        }
        if reader
            .search(proves_loss)
            .map_err(failed("reading", &segment.path))?
            .is_some()
        {
            return Err(damaged(
                &rest[0].path,
                offset,
                "a frame that was durable is not whole",
            ));
        }
    }
    Ok(())
}

//! Reading an open journal: what is durable at one moment, while its owner goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use purlin_store::{OpenError, Replay};

use super::header::FileHeader;
use super::layout;
use super::reader::{Item, Reader};
use super::recovery::{damaged, failed, replay_checkpoint};
use super::shared::{Segment, Shared};
use crate::medium::FileHandle;

/// The files of an open journal at one moment. Their handles read on when a checkpoint removes the names.
#[derive(Debug)]
pub(crate) struct Pinned {
    checkpoint: Option<(PathBuf, Arc<dyn FileHandle>)>,
    covers: u64,
    segments: Vec<(PathBuf, Arc<Segment>)>,
    durable: u64,
}

impl Pinned {
    pub(crate) fn new(shared: &Shared) -> Result<Self, OpenError> {
        // Under the lock, because a checkpoint replaces the former one and its segments under it.
        let files = shared.files();
        let durable = shared.durable.load(Ordering::Acquire);
        let covers = files
            .checkpoint
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.covers);
        let checkpoint = match &files.checkpoint {
            Some(checkpoint) => {
                let path = layout::checkpoint(&shared.dir, checkpoint.generation);
                let file = shared.medium.open(&path).map_err(failed("opening", &path))?;
                Some((path, file))
            }
            None => None,
        };
        let segments = files.segments.iter().map(|entry| entry.segment.clone());
        let segments = segments
            .map(|segment| (shared.segment_path(segment.number), segment))
            .collect();
        Ok(Self {
            checkpoint,
            covers,
            segments,
            durable,
        })
    }

    /// Hands every frame to `replay`, the checkpoint first; gives the last position.
    pub(crate) fn replay(&self, replay: Replay<'_>) -> Result<u64, OpenError> {
        if let Some((path, file)) = &self.checkpoint {
            let header = FileHeader::read(file.as_ref()).map_err(failed("reading", path))?;
            let header = header.map_err(|what| damaged(path, 0, what))?;
            replay_checkpoint(file.clone(), header.salt, path, replay)?;
        }
        let mut last = self.covers;
        for (path, segment) in &self.segments {
            let mut reader = Reader::new(segment.file.clone(), segment.salt);
            while last < self.durable {
                let offset = reader.offset();
                match reader.next().map_err(failed("reading", path))? {
                    Item::Frame { header, .. } if header.position <= last => {}
                    Item::Frame { header, payload } if header.position == last + 1 => {
                        replay(payload);
                        last += 1;
                    }
                    Item::Frame { .. } => return Err(damaged(path, offset, "frames before it are missing")),
                    Item::End | Item::Bad => break,
                }
            }
        }
        match self.segments.last() {
            Some((path, _)) if last < self.durable => {
                Err(damaged(path, 0, "a frame that was durable is not whole"))
            }
            _ => Ok(last),
        }
    }
}

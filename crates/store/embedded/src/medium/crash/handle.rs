//! An open file of the simulated disk.

use std::io;

use super::CrashDisk;
use super::plate::{Pending, put};
use crate::medium::FileHandle;

#[derive(Debug)]
pub(super) struct Handle {
    pub(super) disk: CrashDisk,
    pub(super) id: usize,
}

impl FileHandle for Handle {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.state()?.nodes[self.id].live.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state()?;
        let rest = state.nodes[self.id]
            .live
            .get(offset as usize..)
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.step()?;
        let offset = offset as usize;
        if state.faults.writes_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.ensure_space(self.id, offset + bytes.len())?;
        let node = &mut state.nodes[self.id];
        put(&mut node.live, offset, bytes);
        node.pending.push(Pending::Write(offset, bytes.to_vec()));
        Ok(())
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        self.truncate(length)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.step()?;
        state.ensure_space(self.id, length as usize)?;
        let node = &mut state.nodes[self.id];
        node.live.resize(length as usize, 0);
        node.pending.push(Pending::Length(length as usize));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.step()?;
        // The kernel takes what is dirty at the call; what comes while it is held waits for the next one.
        let count = state.nodes[self.id].pending.len();
        while state.faults.syncs_held && state.life == self.disk.life {
            state = self
                .disk
                .shared
                .changed
                .wait(state)
                .expect("no thread panics with the disk locked");
        }
        if state.life != self.disk.life || state.faults.syncs_fail {
            return Err(io::Error::other("the sync failed"));
        }
        let node = &mut state.nodes[self.id];
        let synced = count.min(node.pending.len());
        for change in node.pending.drain(..synced) {
            match change {
                Pending::Length(length) => node.stable.resize(length, 0),
                Pending::Write(offset, bytes) => put(&mut node.stable, offset, &bytes),
            }
        }
        Ok(())
    }
}

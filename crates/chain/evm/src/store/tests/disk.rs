//! A disk under the engine that stops, fills up and loses what was not synced.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{Database, StorageBackend};

use crate::store::backend::Source;

/// What a power cut may keep or lose of one write.
const SECTOR: usize = 512;

/// Clones share the disk; handles of before a cut can do nothing after it.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    plate: Arc<Mutex<Plate>>,
    life: u64,
}

#[derive(Default)]
struct Plate {
    live: Vec<u8>,
    stable: Vec<u8>,
    /// Since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
    life: u64,
    /// Writes, syncs and changes of length until everything fails.
    steps_left: Option<u64>,
    steps: u64,
    capacity: Option<u64>,
}

impl std::fmt::Debug for Plate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plate of {} octets", self.live.len())
    }
}

impl Disk {
    pub(super) fn source(&self) -> Source {
        let disk = self.clone();
        Source::of(move || {
            Database::builder()
                .set_cache_size(1 << 20)
                .create_with_backend(disk.clone())
        })
    }

    /// Lets `steps` more things happen.
    pub(super) fn die_after(&self, steps: u64) {
        self.plate().steps_left = Some(steps);
    }

    /// Writes, syncs and changes of length so far.
    pub(super) fn steps(&self) -> u64 {
        self.plate().steps
    }

    /// Octets that there may be, or any number.
    pub(super) fn set_capacity(&self, octets: Option<u64>) {
        self.plate().capacity = octets;
    }

    pub(super) fn length(&self) -> u64 {
        self.plate().live.len() as u64
    }

    /// Ends the process only: all that was written stays.
    pub(super) fn kill(&self) -> Self {
        let mut plate = self.plate();
        plate.life += 1;
        plate.steps_left = None;
        Self {
            life: plate.life,
            plate: self.plate.clone(),
        }
    }

    /// Cuts the power: of what was not synced an arbitrary part survives, sector by sector.
    pub(super) fn power_cut(&self, seed: u64) -> Self {
        let mut plate = self.plate();
        let mut dice = seed | 1;
        let mut kept = |every: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33).is_multiple_of(every)
        };
        let pending = std::mem::take(&mut plate.pending);
        let mut after = std::mem::take(&mut plate.stable);
        // Nothing at all, everything, or a mixture.
        let (none, all) = (kept(4), kept(4));
        for (offset, octets) in pending {
            for (index, sector) in octets.chunks(SECTOR).enumerate() {
                if !none && (all || kept(2)) {
                    let start = offset + index * SECTOR;
                    after.resize(after.len().max(start + sector.len()), 0);
                    after[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
        let length = plate.live.len();
        if all || kept(2) {
            after.resize(after.len().max(length), 0);
        }
        plate.live = after.clone();
        plate.stable = after;
        plate.life += 1;
        plate.steps_left = None;
        Self {
            life: plate.life,
            plate: self.plate.clone(),
        }
    }

    fn plate(&self) -> MutexGuard<'_, Plate> {
        self.plate.lock().expect("no thread panics with the disk locked")
    }

    fn alive(&self) -> io::Result<MutexGuard<'_, Plate>> {
        let plate = self.plate();
        if plate.life == self.life {
            Ok(plate)
        } else {
            Err(io::Error::other("the power was cut"))
        }
    }

    fn step(&self) -> io::Result<MutexGuard<'_, Plate>> {
        let mut plate = self.alive()?;
        plate.steps += 1;
        match &mut plate.steps_left {
            Some(0) => return Err(io::Error::other("the disk is dying")),
            Some(steps) => *steps -= 1,
            None => {}
        }
        Ok(plate)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.alive()?.live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let plate = self.alive()?;
        let start = offset as usize;
        let octets = plate.live.get(start..start + out.len());
        out.copy_from_slice(octets.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut plate = self.step()?;
        plate.live.resize(len as usize, 0);
        let shorter = plate.stable.len().min(len as usize);
        plate.stable.truncate(shorter);
        plate
            .pending
            .retain(|(start, octets)| start + octets.len() <= len as usize);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut plate = self.step()?;
        plate.pending.clear();
        plate.stable = plate.live.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut plate = self.step()?;
        let start = offset as usize;
        if plate
            .capacity
            .is_some_and(|octets| offset + data.len() as u64 > octets)
        {
            return Err(io::ErrorKind::StorageFull.into());
        }
        plate.live[start..start + data.len()].copy_from_slice(data);
        plate.pending.push((start, data.to_vec()));
        Ok(())
    }
}

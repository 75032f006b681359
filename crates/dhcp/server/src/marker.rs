//! Whether the journals can have lost something that was written: markers among the frames.
//!
//! A process that dies loses nothing it wrote; a machine that loses power may lose what was not synced. The
//! first frame of each run names the machine's boot, the last frame of an orderly stop says so. Kinds 0xB0 and
//! 0xB1 are passed over by the core's own reader.
//!
//! ```text
//!   0xB0 | length 16 as u16, little-endian | boot id      written at start and into every checkpoint
//!   0xB1 | length 0                                       written last, then synced
//! ```

const BOOT: u8 = 0xb0;
const CLEAN: u8 = 0xb1;

/// The frame that names this boot.
pub(crate) fn boot(id: [u8; 16]) -> Vec<u8> {
    let mut frame = vec![BOOT, 16, 0];
    frame.extend_from_slice(&id);
    frame
}

/// The frame that ends a run in order.
pub(crate) const CLEAN_STOP: [u8; 3] = [CLEAN, 0, 0];

/// What the markers of one journal say, fed with its frames in order.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    boot: Option<[u8; 16]>,
    clean: bool,
    any: bool,
}

impl Markers {
    /// Notes a frame; true when it is a marker and nothing else.
    pub(crate) fn note(&mut self, frame: &[u8]) -> bool {
        self.any = true;
        self.clean = frame == CLEAN_STOP;
        match frame {
            [BOOT, 16, 0, id @ ..] => {
                self.boot = id.try_into().ok();
                true
            }
            _ => self.clean,
        }
    }

    /// Whether all that was ever written to this journal has come back.
    pub(crate) fn exact(&self, boot_now: Option<[u8; 16]>) -> bool {
        !self.any || self.clean || (self.boot.is_some() && self.boot == boot_now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(frames: &[&[u8]], boot_now: u8) -> bool {
        let mut markers = Markers::default();
        frames.iter().for_each(|frame| {
            markers.note(frame);
        });
        markers.exact(Some([boot_now; 16]))
    }

    #[test]
    fn the_same_boot_or_an_orderly_stop_lose_nothing() {
        let (first, second) = (boot([1; 16]), boot([2; 16]));
        assert!(exact(&[], 1));
        assert!(exact(&[&first, b"lease"], 1));
        assert!(!exact(&[&first, b"lease"], 2));
        assert!(exact(&[&first, b"lease", &CLEAN_STOP], 2));
        assert!(!exact(&[&first, &CLEAN_STOP, &second, b"lease"], 3));
        assert!(!exact(&[b"lease"], 1));
    }
}

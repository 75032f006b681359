//! That a data folder was made from a backup: a small file beside the store, there before the store can be opened and
//! never removed. Who promises things by what the store holds must know that the store is older than its promises.
//!
//! ```text
//!   purlin-restored 1
//!   id 9f30c2d1e4b57a68          names this restore
//!   taken 1763700000             when the backup was taken, Unix seconds; 0 when it does not say
//!   hold auto                    or seconds, when the operator has chosen
//!   crc 1c291ca3                 of all lines above
//! ```

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::medium::Medium;

const NAME: &str = "restored";
const HEAD: &str = "purlin-restored 1";
const LENGTH_MAX: usize = 1024;

/// Where the contents of a data folder came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Names this restore among all others; never 0.
    pub id: u64,
    /// When the backup was taken, in Unix seconds; 0 when it does not say.
    pub taken: u64,
    /// For how long to hold back what the backup cannot know, when the operator has chosen.
    pub hold: Option<Duration>,
}

impl Restored {
    /// A restore that happens now.
    pub(crate) fn new(taken: u64, hold: Option<Duration>) -> io::Result<Self> {
        let id = getrandom::u64().map_err(io::Error::other)?.max(1);
        Ok(Self { id, taken, hold })
    }

    /// Makes it durable in `dir`.
    pub(crate) fn write(&self, medium: &dyn Medium, dir: &Path) -> io::Result<()> {
        let file = medium.create(&dir.join(NAME))?;
        file.write_at(0, self.encode().as_bytes())?;
        file.sync()?;
        medium.sync_dir(dir)
    }

    /// What `dir` says: `Ok(None)` when it was not restored, `InvalidData` when that cannot be told.
    pub(crate) fn read(medium: &dyn Medium, dir: &Path) -> io::Result<Option<Self>> {
        if !medium.list(dir)?.iter().any(|name| name == NAME) {
            return Ok(None);
        }
        let file = medium.open_read(&dir.join(NAME))?;
        let mut bytes = [0; LENGTH_MAX];
        let length = file.read_at(0, &mut bytes)?;
        let found = str::from_utf8(&bytes[..length]).ok().and_then(Self::decode);
        let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "it cannot be read");
        found.map(Some).ok_or_else(unreadable)
    }

    fn encode(&self) -> String {
        let hold = self
            .hold
            .map_or_else(|| "auto".to_owned(), |hold| hold.as_secs().to_string());
        let (id, taken) = (self.id, self.taken);
        let text = format!("{HEAD}\nid {id:016x}\ntaken {taken}\nhold {hold}\n");
        let crc = crc32fast::hash(text.as_bytes());
        format!("{text}crc {crc:08x}\n")
    }

    fn decode(text: &str) -> Option<Self> {
        let (said, crc) = text.strip_suffix('\n')?.rsplit_once("crc ")?;
        if u32::from_str_radix(crc, 16).ok()? != crc32fast::hash(said.as_bytes()) {
            return None;
        }
        let mut lines = said.lines();
        lines.next().filter(|&head| head == HEAD)?;
        let id = u64::from_str_radix(lines.next()?.strip_prefix("id ")?, 16).ok()?;
        let taken = lines.next()?.strip_prefix("taken ")?.parse().ok()?;
        let hold = match lines.next()?.strip_prefix("hold ")? {
            "auto" => None,
            secs => Some(Duration::from_secs(secs.parse().ok()?)),
        };
        (id != 0).then_some(Self { id, taken, hold })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back_and_a_changed_octet_is_noticed() {
        for hold in [None, Some(Duration::ZERO), Some(Duration::from_secs(86_400))] {
            let restored = Restored::new(1_763_700_000, hold).expect("random numbers");
            let text = restored.encode();
            assert_eq!(Restored::decode(&text), Some(restored));
            for at in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1;
                let changed = String::from_utf8(bytes).expect("still ASCII");
                assert_eq!(Restored::decode(&changed), None, "{changed}");
                assert_eq!(Restored::decode(&text[..at]), None);
            }
        }
    }
}

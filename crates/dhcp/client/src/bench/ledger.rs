//! The leases a run's clients believe in, kept in a file so that a later run can ask for every one of them again.
//!
//! ```text
//! "PURLLED1" | u32 length | fleet as JSON | u64 count | count x ( u32 client | u32 address | u32 until ) | u32 check
//! ```
//!
//! Numbers are little-endian; `until` is in seconds of the Unix epoch; `check` is the wrapping sum of all the words of
//! the entries, enough to notice a torn file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::options::Fleet;

const MAGIC: &[u8; 8] = b"PURLLED1";
const FLEET_MAX: u32 = 1 << 20;

/// What one run left for the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    pub fleet: Fleet,
    pub leases: Vec<Belief>,
}

/// One lease as its client remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belief {
    /// Number of the client in the fleet.
    pub client: u32,
    pub address: u32,
    /// Seconds of the Unix epoch.
    pub until: u32,
}

impl Ledger {
    /// Writes the file beside its name first, so that a reader sees the old one or the new one.
    ///
    /// # Errors
    /// When something else than a file has that name, and whatever the file system says.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        if path.exists() && !path.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "this is no ordinary file",
            ));
        }
        let beside = path.with_extension("partial");
        let mut out = BufWriter::new(File::create(&beside)?);
        let fleet = serde_json::to_vec(&self.fleet)?;
        out.write_all(MAGIC)?;
        out.write_all(&(fleet.len() as u32).to_le_bytes())?;
        out.write_all(&fleet)?;
        out.write_all(&(self.leases.len() as u64).to_le_bytes())?;
        let mut check = 0_u32;
        for belief in &self.leases {
            for word in [belief.client, belief.address, belief.until] {
                check = check.wrapping_add(word);
                out.write_all(&word.to_le_bytes())?;
            }
        }
        out.write_all(&check.to_le_bytes())?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(beside, path)
    }

    /// Reads a file written by `save`.
    ///
    /// # Errors
    /// `InvalidData` when it is no ledger or incomplete, else whatever the file system says.
    pub fn load(path: &Path) -> io::Result<Self> {
        let mut input = BufReader::new(File::open(path)?);
        let mut magic = [0; 8];
        input.read_exact(&mut magic)?;
        let length = read_u32(&mut input)?;
        if &magic != MAGIC || length > FLEET_MAX {
            return Err(invalid("this file is no lease ledger"));
        }
        let mut fleet = vec![0; length as usize];
        input.read_exact(&mut fleet)?;
        let fleet: Fleet = serde_json::from_slice(&fleet)?;
        let count = u64::from(read_u32(&mut input)?) | u64::from(read_u32(&mut input)?) << 32;
        if count > u64::from(fleet.clients) {
            return Err(invalid("the ledger holds more leases than clients"));
        }
        let mut leases = Vec::with_capacity(count as usize);
        let mut check = 0_u32;
        for _ in 0..count {
            let belief = Belief {
                client: read_u32(&mut input)?,
                address: read_u32(&mut input)?,
                until: read_u32(&mut input)?,
            };
            check = check
                .wrapping_add(belief.client)
                .wrapping_add(belief.address)
                .wrapping_add(belief.until);
            leases.push(belief);
        }
        if read_u32(&mut input)? != check {
            return Err(invalid("the ledger is damaged: its sum does not fit"));
        }
        Ok(Self { fleet, leases })
    }
}

fn read_u32(input: &mut impl Read) -> io::Result<u32> {
    let mut word = [0; 4];
    input.read_exact(&mut word)?;
    Ok(u32::from_le_bytes(word))
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::options::Relay;
    use super::*;

    #[test]
    fn a_ledger_comes_back_as_saved_and_a_torn_one_is_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("run.ledger");
        let fleet = Fleet::new(10, Relay::classic(Ipv4Addr::new(10, 0, 0, 2)));
        let leases = (0..10)
            .map(|n| Belief {
                client: n,
                address: n + 70,
                until: 99,
            })
            .collect();
        let ledger = Ledger { fleet, leases };
        ledger.save(&path).expect("saved");
        assert!(ledger.save(path.parent().expect("a folder")).is_err());
        assert_eq!(Ledger::load(&path).expect("loaded"), ledger);
        let whole = std::fs::read(&path).expect("read");
        std::fs::write(&path, &whole[..whole.len() - 9]).expect("torn");
        assert!(Ledger::load(&path).is_err());
        std::fs::write(&path, b"something else entirely").expect("written");
        assert_eq!(
            Ledger::load(&path).expect_err("no ledger").kind(),
            io::ErrorKind::InvalidData
        );
    }
}

//! How batches stand in the file, one after another.
//!
//! ```text
//!   "PBFT" | body length 4 | CRC-32 4 | height 8 | (record length 4 | record)*
//!                                       `------------- body, under the CRC --'
//! ```
//!
//! Numbers are big-endian. A batch is written and flushed before the next one is: what is wrong at the end of the file is
//! the batch that a power cut tore, and nothing in it was acted on. What is wrong before a good batch of the same height is
//! damage.

use super::record::Record;

const MAGIC: [u8; 4] = *b"PBFT";
/// Octets before the body.
const HEAD: usize = 12;

/// The octets of one batch, while records are added.
#[derive(Debug, Default)]
pub(super) struct Batch(Vec<u8>);

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn push(&mut self, height: u64, record: &Record) {
        if self.0.is_empty() {
            self.0.resize(HEAD, 0);
            self.0.extend(height.to_be_bytes());
        }
        let octets = record.encode();
        self.0.extend(length(octets.len()));
        self.0.extend(octets);
    }

    /// All of it, as it is written.
    pub(super) fn seal(&mut self) -> &[u8] {
        if let Some((head, body)) = self.0.split_at_mut_checked(HEAD) {
            head[..4].copy_from_slice(&MAGIC);
            head[4..8].copy_from_slice(&length(body.len()));
            head[8..].copy_from_slice(&crc32fast::hash(body).to_be_bytes());
        }
        &self.0
    }
}

fn length(octets: usize) -> [u8; 4] {
    // A batch holds a few blocks; a length that does not fit gives a batch that is not read back as good.
    u32::try_from(octets).unwrap_or(u32::MAX).to_be_bytes()
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// The height of the last good batch; `None` when there is none.
    pub(super) height: Option<u64>,
    pub(super) records: Vec<Record>,
    /// Where good batches end; what follows was torn or belongs to an older height.
    pub(super) end: usize,
}

/// A bad batch with a good one of the same or a later height behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) at: usize,
    pub(super) height: u64,
}

/// Reads a file.
pub(super) fn read(octets: &[u8]) -> Result<Content, Damage> {
    let mut content = Content {
        height: None,
        records: Vec::new(),
        end: 0,
    };
    while content.end < octets.len() {
        match one(&octets[content.end..]) {
            Some((height, records, len)) if content.height.is_none_or(|known| known == height) => {
                content.height = Some(height);
                content.records.extend(records);
                content.end += len;
            }
            // The file was begun anew over an older one.
            Some((height, ..)) if content.height.is_some_and(|known| height < known) => break,
            _ => return torn(octets, content),
        }
    }
    Ok(content)
}

/// Something at the end of `content` is wrong: is it the end of the file?
fn torn(octets: &[u8], content: Content) -> Result<Content, Damage> {
    let at = content.end;
    for next in at + 1..octets.len().saturating_sub(HEAD) {
        if octets[next..].starts_with(&MAGIC)
            && let Some((height, ..)) = one(&octets[next..])
            && content.height.is_none_or(|known| height >= known)
        {
            return Err(Damage { at, height });
        }
    }
    Ok(content)
}

/// The batch at the start of these octets, with its length; `None` when it is not whole.
fn one(octets: &[u8]) -> Option<(u64, Vec<Record>, usize)> {
    let rest = octets.strip_prefix(&MAGIC)?;
    let (len, rest) = number(rest)?;
    let (crc, rest) = number(rest)?;
    let body = rest.get(..usize::try_from(len).ok()?)?;
    if crc32fast::hash(body) != crc {
        return None;
    }
    let (height, mut body) = body.split_first_chunk::<8>()?;
    let mut records = Vec::new();
    while !body.is_empty() {
        let (len, rest) = number(body)?;
        let len = usize::try_from(len).ok()?;
        records.push(Record::decode(rest.get(..len)?).ok()?);
        body = &rest[len..];
    }
    let len = HEAD + usize::try_from(len).ok()?;
    Some((u64::from_be_bytes(*height), records, len))
}

fn number(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = octets.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

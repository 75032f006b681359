//! Frames that were accepted and are still in memory only, in the order of acceptance.

/// A buffer above this is given back once it is empty.
const KEEP: usize = 1 << 20;

/// Payloads back to back. Two of these take turns: one fills while the other is written, so that in steady
/// state no frame costs an allocation.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    bytes: Vec<u8>,
    /// Where each payload ends.
    ends: Vec<usize>,
    /// Frames at the front that are in the file already.
    written: usize,
}

impl Gather {
    pub(crate) fn push(&mut self, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        self.ends.push(self.bytes.len());
    }

    /// Whether all of it is in the file.
    pub(crate) fn is_done(&self) -> bool {
        self.written == self.ends.len()
    }

    /// The payloads that are not in the file, oldest first.
    pub(crate) fn rest(&self) -> impl Iterator<Item = &[u8]> {
        (self.written..self.ends.len()).map(|index| {
            let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.bytes[start..self.ends[index]]
        })
    }

    /// The `count` oldest of the rest are in the file now; gives their octets.
    pub(crate) fn advance(&mut self, count: usize) -> usize {
        let octets = self.rest().take(count).map(<[u8]>::len).sum();
        self.written += count;
        if self.is_done() {
            self.clear();
        }
        octets
    }

    fn clear(&mut self) {
        self.written = 0;
        self.ends.clear();
        self.bytes.clear();
        if self.bytes.capacity() > KEEP {
            self.bytes = Vec::new();
            self.ends = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_out_in_order_and_what_is_written_is_forgotten() {
        let mut gather = Gather::default();
        for payload in [&b"one"[..], b"two!", b"3"] {
            gather.push(payload);
        }
        assert_eq!(gather.advance(1), 3);
        assert_eq!(gather.rest().collect::<Vec<_>>(), [&b"two!"[..], b"3"]);
        gather.push(b"four");
        assert_eq!(gather.advance(3), 9);
        assert!(gather.is_done());
        assert_eq!(gather.rest().count(), 0);
        gather.push(b"again");
        assert_eq!(gather.rest().collect::<Vec<_>>(), [b"again"]);
    }

    #[test]
    fn a_large_buffer_is_given_back() {
        let mut gather = Gather::default();
        gather.push(&vec![1; KEEP + 1]);
        gather.advance(1);
        assert_eq!(gather.bytes.capacity(), 0);
    }
}

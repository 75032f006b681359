//! Contract code in memory, by its hash: the same for readers of every age.

use std::sync::Mutex;

use alloy_primitives::map::HashMap;
use alloy_primitives::{B256, Bytes};

use super::error::StateError;

/// Code in memory, in two halves as accounts are.
#[derive(Debug)]
pub(super) struct Codes {
    halves: Mutex<Halves>,
    /// Octets of a half.
    half: usize,
}

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<B256, Bytes>,
    old: HashMap<B256, Bytes>,
    young_bytes: usize,
}

impl Codes {
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            halves: Mutex::new(Halves::default()),
            half: bytes / 2,
        }
    }

    /// The code, read when it is not here.
    pub(super) fn get(
        &self,
        hash: B256,
        read: impl FnOnce() -> Result<Bytes, StateError>,
    ) -> Result<Bytes, StateError> {
        let mut halves = self.halves.lock().expect("no thread panics with codes locked");
        if let Some(code) = halves.young.get(&hash) {
            return Ok(code.clone());
        }
        let old = halves.old.remove(&hash);
        drop(halves);
        let code = match old {
            Some(code) => code,
            None => read()?,
        };
        self.keep(hash, code.clone());
        Ok(code)
    }

    fn keep(&self, hash: B256, code: Bytes) {
        let mut halves = self.halves.lock().expect("no thread panics with codes locked");
        if halves.young_bytes + code.len() > self.half {
            halves.old = std::mem::take(&mut halves.young);
            halves.young_bytes = 0;
        }
        halves.young_bytes += code.len();
        halves.young.insert(hash, code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes_when_it_is_too_much() {
        let codes = Codes::new(1_000);
        let mut reads = 0;
        for number in 0..200_u8 {
            for hash in [B256::repeat_byte(255), B256::repeat_byte(number)] {
                let code = codes.get(hash, || {
                    reads += 1;
                    Ok(Bytes::from(vec![hash[0]; 100]))
                });
                assert_eq!(code.unwrap()[0], hash[0]);
            }
        }
        assert_eq!(reads, 201);
        let halves = codes.halves.lock().unwrap();
        assert!(halves.young.len() + halves.old.len() <= 10);
    }
}

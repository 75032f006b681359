//! The requests of a run, signed and written on all cores before the clock runs.

use super::plan::{Contracts, Plan};
use crate::Key;
use alloy_primitives::map::B256Map;
use alloy_primitives::{B256, hex};
use std::io::Write;
use std::thread;

/// What goes over the wire for each transaction, and how it is found again in a block.
#[derive(Debug)]
pub(crate) struct Requests {
    /// Equal stretches of the run, one after the other.
    parts: Vec<Part>,
    stretch: u32,
    numbers: B256Map<u32>,
}

/// JSON-RPC requests one behind the other in one piece of memory.
#[derive(Debug)]
struct Part {
    text: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    hashes: Vec<B256>,
}

impl Requests {
    /// Signs everything; `nonces` is where each sender begins.
    pub(crate) fn sign(
        plan: &Plan,
        keys: &[Key],
        nonces: &[u64],
        contracts: &Contracts,
        threads: u32,
    ) -> Self {
        let stretch = plan.transactions.div_ceil(threads).max(1);
        let starts = (0..plan.transactions).step_by(stretch as usize);
        let parts = thread::scope(|scope| {
            let workers: Vec<_> = starts
                .map(|start| {
                    let end = plan.transactions.min(start + stretch);
                    scope.spawn(move || Part::sign(plan, keys, nonces, contracts, start..end))
                })
                .collect();
            let join = |worker: thread::ScopedJoinHandle<'_, Part>| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            workers.into_iter().map(join).collect::<Vec<Part>>()
        });
        let hashes = parts.iter().flat_map(|part| &part.hashes);
        let numbers = hashes.zip(0..).map(|(hash, number)| (*hash, number)).collect();
        Self {
            parts,
            stretch,
            numbers,
        }
    }

    /// The request that sends a transaction; its id is the transaction's number.
    pub(crate) fn text(&self, number: u32) -> &[u8] {
        let (part, at) = self.place(number);
        let start = at.checked_sub(1).map_or(0, |before| part.ends[before]);
        &part.text[start..part.ends[at]]
    }

    pub(crate) fn hash(&self, number: u32) -> B256 {
        let (part, at) = self.place(number);
        part.hashes[at]
    }

    /// Which transaction of ours this is.
    pub(crate) fn number(&self, hash: &B256) -> Option<u32> {
        self.numbers.get(hash).copied()
    }

    fn place(&self, number: u32) -> (&Part, usize) {
        let part = &self.parts[(number / self.stretch) as usize];
        (part, (number % self.stretch) as usize)
    }
}

impl Part {
    fn sign(
        plan: &Plan,
        keys: &[Key],
        nonces: &[u64],
        contracts: &Contracts,
        numbers: std::ops::Range<u32>,
    ) -> Self {
        let mut part = Self {
            text: Vec::new(),
            ends: Vec::with_capacity(numbers.len()),
            hashes: Vec::with_capacity(numbers.len()),
        };
        let mut raw = Vec::with_capacity(512);
        for number in numbers {
            raw.clear();
            let one = plan.get(number);
            let nonce = nonces[one.from as usize] + u64::from(one.turn);
            let hash = plan.sign(&one, nonce, keys, contracts, number, &mut raw);
            part.push(number, &raw, hash);
        }
        part
    }

    fn push(&mut self, number: u32, raw: &[u8], hash: B256) {
        let head = format_args!(
            r#"{{"jsonrpc":"2.0","id":{number},"method":"eth_sendRawTransaction","params":["0x"#
        )
        .to_string();
        self.text.extend(head.as_bytes());
        let start = self.text.len();
        self.text.resize(start + 2 * raw.len(), 0);
        hex::encode_to_slice(raw, &mut self.text[start..]).expect("the room is twice as long");
        self.text.extend(br#""]}"#);
        self.ends.push(self.text.len());
        self.hashes.push(hash);
    }
}

/// Writes the requests of a batch into `body`; one alone is no batch.
pub(crate) fn write_batch(requests: &Requests, numbers: &[u32], body: &mut Vec<u8>) {
    body.clear();
    if let [number] = numbers {
        body.extend(requests.text(*number));
        return;
    }
    for (at, number) in numbers.iter().enumerate() {
        // Writing to memory cannot fail.
        let _ = body.write(if at == 0 { b"[" } else { b"," });
        body.extend(requests.text(*number));
    }
    body.push(b']');
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::plan::tests::plan;
    use super::*;
    use alloy_primitives::keccak256;
    use serde_json::Value;

    pub(crate) fn requests(plan: &Plan, threads: u32) -> Requests {
        let keys: Vec<Key> = (0..plan.senders).map(|index| Key::derived(1, index)).collect();
        let nonces = vec![3; keys.len()];
        Requests::sign(plan, &keys, &nonces, &Contracts::default(), threads)
    }

    #[test]
    fn requests_are_the_same_on_any_number_of_threads() {
        let plan = plan("mixed", 4, 11);
        let (one, many) = (requests(&plan, 1), requests(&plan, 3));
        for number in 0..11 {
            assert_eq!(one.text(number), many.text(number));
            assert_eq!(one.number(&many.hash(number)), Some(number));
        }
    }

    #[test]
    fn a_batch_is_json_with_the_numbers_as_ids() {
        let requests = requests(&plan("transfers", 2, 4), 2);
        let mut body = Vec::new();
        write_batch(&requests, &[3, 0], &mut body);
        let batch: Vec<Value> = serde_json::from_slice(&body).unwrap();
        assert_eq!((&batch[0]["id"], &batch[1]["id"]), (&3.into(), &0.into()));
        let raw = hex::decode(batch[0]["params"][0].as_str().unwrap()).unwrap();
        assert_eq!(keccak256(raw), requests.hash(3));
        write_batch(&requests, &[1], &mut body);
        let alone: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(alone["method"], "eth_sendRawTransaction");
    }
}

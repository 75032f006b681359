//! Values and keys as octets. `docs/formats/chain.md` draws them.

use alloy_consensus::{Eip658Value, ReceiptWithBloom, TxReceipt, TxType};
use alloy_eips::Typed2718;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Keccak256, Log, U256};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};
use purlin_chain_proto::Receipt;

use super::error::StateError;
use crate::state::Account;

/// Set in an account's first octet when 32 octets of code hash follow.
const HAS_CODE: u8 = 0x80;

/// Octets of the nonce's length and whether there is code, the nonce, the hash of the code, the balance; numbers
/// without leading zeros. A plain account of a development chain takes 10 to 15 octets.
pub(super) fn encode_account(account: &Account) -> Vec<u8> {
    let nonce = account.nonce.to_be_bytes();
    let nonce = trimmed(&nonce);
    let mut out = Vec::with_capacity(64);
    out.push(nonce.len() as u8 | if account.has_code() { HAS_CODE } else { 0 });
    out.extend_from_slice(nonce);
    if account.has_code() {
        out.extend_from_slice(account.code_hash.as_slice());
    }
    out.extend_from_slice(trimmed(&account.balance.to_be_bytes::<32>()));
    out
}

pub(super) fn decode_account(octets: &[u8]) -> Result<Account, StateError> {
    read_account(octets).ok_or_else(|| damaged("an account"))
}

fn read_account(mut octets: &[u8]) -> Option<Account> {
    let first = octets.split_off_first()?;
    let nonce = octets.split_off(..usize::from(first & !HAS_CODE))?;
    let code_hash = match first & HAS_CODE {
        0 => KECCAK256_EMPTY,
        _ => B256::from_slice(octets.split_off(..32)?),
    };
    Some(Account {
        nonce: u64::try_from(U256::try_from_be_slice(nonce)?).ok()?,
        balance: U256::try_from_be_slice(octets)?,
        code_hash,
    })
}

/// No octets at all: there was no account.
pub(super) fn encode_before(account: Option<&Account>) -> Vec<u8> {
    account.map(encode_account).unwrap_or_default()
}

pub(super) fn decode_before(octets: &[u8]) -> Result<Option<Account>, StateError> {
    (!octets.is_empty()).then(|| decode_account(octets)).transpose()
}

/// A word without leading zeros.
pub(super) fn encode_word(word: U256) -> Vec<u8> {
    trimmed(&word.to_be_bytes::<32>()).to_vec()
}

pub(super) fn decode_word(octets: &[u8]) -> Result<U256, StateError> {
    U256::try_from_be_slice(octets).ok_or_else(|| damaged("a slot"))
}

fn trimmed(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}

/// Address, slot.
pub(super) fn slot_key(address: Address, slot: U256) -> [u8; 52] {
    let mut key = [0; 52];
    key[..20].copy_from_slice(address.as_slice());
    key[20..].copy_from_slice(&slot.to_be_bytes::<32>());
    key
}

pub(super) fn slot_of(key: &[u8; 52]) -> U256 {
    U256::from_be_slice(&key[20..])
}

/// Address, block.
pub(super) fn account_change_key(address: Address, block: u64) -> [u8; 28] {
    let mut key = [0; 28];
    key[..20].copy_from_slice(address.as_slice());
    key[20..].copy_from_slice(&block.to_be_bytes());
    key
}

/// Address, slot, block.
pub(super) fn slot_change_key(address: Address, slot: U256, block: u64) -> [u8; 60] {
    let mut key = [0; 60];
    key[..52].copy_from_slice(&slot_key(address, slot));
    key[52..].copy_from_slice(&block.to_be_bytes());
    key
}

/// What a block changed, without values: those are in the tables of changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    pub(super) accounts: Vec<Address>,
    pub(super) slots: Vec<(Address, U256)>,
}

impl Touched {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.accounts.len() * 20 + self.slots.len() * 52);
        let count = u32::try_from(self.accounts.len()).expect("a block does not touch 2^32 accounts");
        out.extend(count.to_be_bytes());
        for account in &self.accounts {
            out.extend_from_slice(account.as_slice());
        }
        for (address, slot) in &self.slots {
            out.extend_from_slice(&slot_key(*address, *slot));
        }
        out
    }

    pub(super) fn decode(octets: &[u8]) -> Result<Self, StateError> {
        let read = || {
            let (count, rest) = octets.split_first_chunk::<4>()?;
            let accounts = usize::try_from(u32::from_be_bytes(*count))
                .ok()?
                .checked_mul(20)?;
            let (accounts, slots) = rest.split_at_checked(accounts)?;
            let (accounts, _) = accounts.as_chunks::<20>();
            let (slots, rest) = slots.as_chunks::<52>();
            rest.is_empty().then(|| Self {
                accounts: accounts.iter().map(Address::from).collect(),
                slots: slots
                    .iter()
                    .map(|key| (Address::from_slice(&key[..20]), slot_of(key)))
                    .collect(),
            })
        };
        read().ok_or_else(|| damaged("a list of changes"))
    }
}

/// A receipt without its bloom, which its logs give again: 256 octets less.
#[derive(RlpEncodable, RlpDecodable)]
struct ReceiptRow {
    kind: u8,
    /// Empty or 1; before Byzantium the state root.
    status: Bytes,
    cumulative_gas_used: u64,
    logs: Vec<Log>,
}

pub(super) fn encode_receipts(receipts: &[Receipt]) -> Vec<u8> {
    let rows: Vec<ReceiptRow> = receipts
        .iter()
        .map(|receipt| ReceiptRow {
            kind: receipt.ty(),
            status: match receipt.status_or_post_state() {
                Eip658Value::Eip658(true) => Bytes::from_static(&[1]),
                Eip658Value::Eip658(false) => Bytes::new(),
                Eip658Value::PostState(root) => Bytes::copy_from_slice(root.as_slice()),
            },
            cumulative_gas_used: receipt.cumulative_gas_used(),
            logs: receipt.logs().to_vec(),
        })
        .collect();
    alloy_rlp::encode(rows)
}

pub(crate) fn decode_receipts(octets: &[u8]) -> Result<Vec<Receipt>, StateError> {
    let rows: Vec<ReceiptRow> = rlp(octets, "receipts")?;
    rows.into_iter().map(receipt).collect()
}

fn receipt(row: ReceiptRow) -> Result<Receipt, StateError> {
    let kind = TxType::try_from(row.kind).map_err(|_| damaged("the type of a receipt"))?;
    let status = match row.status.as_ref() {
        [] => Eip658Value::Eip658(false),
        [1] => Eip658Value::Eip658(true),
        root => Eip658Value::PostState(B256::try_from(root).map_err(|_| damaged("the status of a receipt"))?),
    };
    let receipt = alloy_consensus::Receipt {
        status,
        cumulative_gas_used: row.cumulative_gas_used,
        logs: row.logs,
    };
    let with_bloom: ReceiptWithBloom<_> = receipt.with_bloom();
    Ok(Receipt::from_typed(kind, with_bloom))
}

pub(super) fn encode_addresses(addresses: &[Address]) -> Vec<u8> {
    addresses.iter().flat_map(|address| address.0.0).collect()
}

pub(super) fn decode_addresses(octets: &[u8]) -> Result<Vec<Address>, StateError> {
    match octets.as_chunks::<20>() {
        (addresses, []) => Ok(addresses.iter().map(Address::from).collect()),
        _ => Err(damaged("senders")),
    }
}

/// Four octets over the block's hash and the certificate, then the certificate: it belongs to this block and to no other, and
/// rot is found here and not by those whom it is sent to.
pub(super) fn encode_certificate(block: B256, certificate: &[u8]) -> Vec<u8> {
    [&checksum(block, certificate), certificate].concat()
}

pub(super) fn decode_certificate(block: B256, octets: &[u8]) -> Result<Bytes, StateError> {
    match octets.split_first_chunk::<4>() {
        Some((sum, certificate)) if *sum == checksum(block, certificate) => {
            Ok(Bytes::copy_from_slice(certificate))
        }
        _ => Err(damaged("the certificate of a block")),
    }
}

fn checksum(block: B256, certificate: &[u8]) -> [u8; 4] {
    let mut hasher = Keccak256::new();
    hasher.update(block);
    hasher.update(certificate);
    let [a, b, c, d, ..] = hasher.finalize().0;
    [a, b, c, d]
}

/// RLP and nothing after it.
pub(super) fn rlp<T: Decodable>(mut octets: &[u8], what: &str) -> Result<T, StateError> {
    let value = T::decode(&mut octets).map_err(|_| damaged(what))?;
    octets.is_empty().then_some(value).ok_or_else(|| damaged(what))
}

pub(super) fn damaged(what: &str) -> StateError {
    StateError::Damaged(format!("{what} cannot be read"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accounts() -> impl Strategy<Value = Account> {
        (any::<u64>(), any::<[u8; 32]>(), 0_usize..256, any::<bool>()).prop_map(
            |(nonce, word, shift, code)| Account {
                nonce: nonce >> (shift % 64),
                balance: U256::from_be_bytes(word) >> shift,
                code_hash: if code { B256::from(word) } else { KECCAK256_EMPTY },
            },
        )
    }

    proptest! {
        #[test]
        fn accounts_come_back_as_they_went(account in accounts()) {
            prop_assert_eq!(decode_account(&encode_account(&account)).unwrap(), account);
            prop_assert_eq!(decode_before(&encode_before(Some(&account))).unwrap(), Some(account));
            prop_assert_eq!(decode_before(&encode_before(None)).unwrap(), None);
        }

        #[test]
        fn no_octets_make_a_value_that_panics(octets in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = decode_account(&octets);
            let _ = decode_word(&octets);
            let _ = Touched::decode(&octets);
            let _ = decode_receipts(&octets);
            let _ = decode_addresses(&octets);
            let _ = decode_certificate(B256::ZERO, &octets);
        }
    }

    #[test]
    fn a_certificate_belongs_to_its_block_and_shows_rot() {
        let block = B256::repeat_byte(1);
        for certificate in [&b""[..], b"signatures"] {
            let row = encode_certificate(block, certificate);
            assert_eq!(decode_certificate(block, &row).unwrap().as_ref(), certificate);
            assert!(decode_certificate(B256::repeat_byte(2), &row).is_err());
            for at in 0..row.len() * 8 {
                let mut rotten = row.clone();
                rotten[at / 8] ^= 1 << (at % 8);
                assert!(decode_certificate(block, &rotten).is_err(), "bit {at}");
            }
            assert!(decode_certificate(block, &row[..row.len() - 1]).is_err());
        }
    }

    #[test]
    fn lists_of_changes_come_back_as_they_went() {
        let touched = Touched {
            accounts: vec![Address::repeat_byte(1), Address::repeat_byte(2)],
            slots: vec![(Address::repeat_byte(2), U256::MAX)],
        };
        assert_eq!(Touched::decode(&touched.encode()).unwrap(), touched);
        assert_eq!(
            Touched::decode(&Touched::default().encode()).unwrap(),
            Touched::default()
        );
    }

    #[test]
    fn receipts_of_every_kind_come_back_with_their_blooms() {
        let status = [
            Eip658Value::Eip658(true),
            Eip658Value::Eip658(false),
            Eip658Value::PostState(B256::repeat_byte(7)),
        ];
        let logs = vec![Log::new_unchecked(
            Address::repeat_byte(3),
            vec![B256::repeat_byte(4)],
            Bytes::from_static(b"data"),
        )];
        let receipts: Vec<Receipt> = (0_u8..5)
            .map(|kind| {
                let receipt = alloy_consensus::Receipt {
                    status: status[usize::from(kind) % 3],
                    cumulative_gas_used: u64::from(kind) * 21_000,
                    logs: logs.clone(),
                };
                Receipt::from_typed(TxType::try_from(kind).unwrap(), receipt.with_bloom())
            })
            .collect();
        assert_eq!(decode_receipts(&encode_receipts(&receipts)).unwrap(), receipts);
    }
}

//! Requests of the execution layer to the consensus layer, from Prague on (EIP-7685).

use super::{ExecuteError, Executor};
use alloy_eips::{
    eip6110::DEPOSIT_REQUEST_TYPE,
    eip7002::{WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_TYPE},
    eip7251::{CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_TYPE},
};
use alloy_primitives::b256;
use purlin_chain_proto::{Address, B256, Bytes, Receipt, Requests};
use revm::context::result::ExecutionResult;

/// Keccak-256 of `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const DEPOSIT_EVENT: B256 = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");

/// Where the five byte strings of a deposit begin, and their lengths, after the ABI's layout: public key, withdrawal
/// credentials, amount, signature, index.
const DEPOSIT_FIELDS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];
const DEPOSIT_OCTETS: usize = 576;

impl Executor<'_> {
    /// Deposits out of the logs (EIP-6110), then what the two system contracts have queued (EIP-7002, EIP-7251).
    pub(super) fn requests(&mut self) -> Result<Requests, ExecuteError> {
        let mut requests = Requests::default();
        if let Some(contract) = self.spec.deposit_contract() {
            requests.push_request_with_type(DEPOSIT_REQUEST_TYPE, deposits(contract, &self.receipts)?);
        }
        for (kind, contract) in [
            (WITHDRAWAL_REQUEST_TYPE, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS),
            (
                CONSOLIDATION_REQUEST_TYPE,
                CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
            ),
        ] {
            requests.push_request_with_type(kind, self.queued(contract)?);
        }
        Ok(requests)
    }

    fn queued(&mut self, contract: Address) -> Result<Bytes, ExecuteError> {
        if !self.layer_mut().has_code(contract)? {
            return Err(ExecuteError::SystemCall {
                contract,
                what: "has no code",
            });
        }
        match self.system_call(contract, Bytes::new())? {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            _ => Err(ExecuteError::SystemCall {
                contract,
                what: "fails",
            }),
        }
    }
}

fn deposits(contract: Address, receipts: &[Receipt]) -> Result<Vec<u8>, ExecuteError> {
    let mut all = Vec::new();
    for (index, receipt) in receipts.iter().enumerate() {
        let logs = receipt.logs().iter().filter(|log| log.address == contract);
        for log in logs.filter(|log| log.topics().first() == Some(&DEPOSIT_EVENT)) {
            let fields = deposit(&log.data.data).ok_or(ExecuteError::Deposit { index })?;
            fields.iter().for_each(|field| all.extend_from_slice(field));
        }
    }
    Ok(all)
}

/// The five fields, when offsets and lengths are those of EIP-6110 (`is_valid_deposit_event_data`).
fn deposit(data: &[u8]) -> Option<[&[u8]; 5]> {
    if data.len() != DEPOSIT_OCTETS {
        return None;
    }
    let mut fields = [&data[..0]; 5];
    for (index, (offset, length)) in DEPOSIT_FIELDS.into_iter().enumerate() {
        if word(data, index * 32)? != offset || word(data, offset)? != length {
            return None;
        }
        fields[index] = data.get(offset + 32..offset + 32 + length)?;
    }
    Some(fields)
}

/// A word of the ABI that is small enough to be an index.
fn word(data: &[u8], at: usize) -> Option<usize> {
    let (high, low) = data.get(at..at + 32)?.split_at(24);
    let value = u64::from_be_bytes(low.try_into().ok()?);
    high.iter()
        .all(|octet| *octet == 0)
        .then(|| usize::try_from(value).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Vec<u8> {
        let mut data = vec![0; DEPOSIT_OCTETS];
        for (index, (offset, length)) in DEPOSIT_FIELDS.into_iter().enumerate() {
            data[index * 32 + 30..index * 32 + 32]
                .copy_from_slice(&u16::try_from(offset).unwrap().to_be_bytes());
            data[offset + 31] = u8::try_from(length).unwrap();
            data[offset + 32..offset + 32 + length].fill(u8::try_from(index).unwrap() + 1);
        }
        data
    }

    #[test]
    fn a_deposit_is_its_five_fields_one_after_another() {
        let event = event();
        let fields = deposit(&event).expect("well laid out").concat();
        assert_eq!(fields.len(), 48 + 32 + 8 + 96 + 8);
        assert_eq!(
            (fields[0], fields[48], fields[80], fields[88], fields[184]),
            (1, 2, 3, 4, 5)
        );
    }

    #[test]
    fn a_deposit_with_another_layout_is_none() {
        for at in [31, 160 + 31, 512 + 31, 64] {
            let mut event = event();
            event[at] ^= 1;
            assert_eq!(deposit(&event), None, "octet {at}");
        }
        assert_eq!(deposit(&event()[1..]), None);
    }
}

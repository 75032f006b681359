//! What a validator can vote for, as the octets of its call.

use crate::quorum::Change;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use std::{fmt, time::Duration};

const ADD: &str = "voteAdd(address,uint64)";
const REMOVE: &str = "voteRemove(address)";
const WEIGHT: &str = "voteWeight(address,uint64)";
const PERIOD: &str = "votePeriod(uint64)";
const GAS_LIMIT: &str = "voteGasLimit(uint64)";

/// One vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vote {
    /// Who decides.
    Set(Change),
    /// How often; whole milliseconds count.
    Period(Duration),
    /// What the gas limit of blocks goes to.
    GasLimit(u64),
}

impl Vote {
    /// The input of a transaction to [`super::ADDRESS`] that gives this vote.
    #[must_use]
    pub fn call_data(&self) -> Bytes {
        match *self {
            Self::Set(Change::Add { validator, power }) => call(ADD, &[who(validator), number(power)]),
            Self::Set(Change::Remove { validator }) => call(REMOVE, &[who(validator)]),
            Self::Set(Change::Weight { validator, power }) => call(WEIGHT, &[who(validator), number(power)]),
            Self::Period(period) => {
                let ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
                call(PERIOD, &[number(ms)])
            }
            Self::GasLimit(gas) => call(GAS_LIMIT, &[number(gas)]),
        }
    }

    /// The vote that these octets give; `None` for any other call, also for one that is too long or too short.
    #[must_use]
    pub fn parse(call_data: &[u8]) -> Option<Self> {
        let (selector, arguments) = call_data.split_at_checked(4)?;
        let (words, rest) = arguments.as_chunks::<32>();
        if !rest.is_empty() {
            return None;
        }
        let is = |signature: &str| selector == &keccak256(signature)[..4];
        match *words {
            [first, second] => {
                let (validator, power) = (address(first)?, small(second)?);
                if is(ADD) {
                    Some(Self::Set(Change::Add { validator, power }))
                } else {
                    is(WEIGHT).then_some(Self::Set(Change::Weight { validator, power }))
                }
            }
            [only] if is(REMOVE) => Some(Self::Set(Change::Remove {
                validator: address(only)?,
            })),
            [only] if is(PERIOD) => Some(Self::Period(Duration::from_millis(small(only)?))),
            [only] if is(GAS_LIMIT) => Some(Self::GasLimit(small(only)?)),
            _ => None,
        }
    }
}

impl fmt::Display for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(change) => change.fmt(f),
            Self::Period(period) => write!(f, "make a block every {period:?}"),
            Self::GasLimit(gas) => write!(f, "bring the gas limit of blocks to {gas}"),
        }
    }
}

fn call(signature: &str, arguments: &[B256]) -> Bytes {
    let mut octets = keccak256(signature)[..4].to_vec();
    octets.extend(arguments.iter().flat_map(|word| word.0));
    octets.into()
}

fn who(address: Address) -> B256 {
    address.into_word()
}

fn number(number: u64) -> B256 {
    U256::from(number).into()
}

fn address(word: [u8; 32]) -> Option<Address> {
    let address = Address::from_word(word.into());
    (who(address).0 == word).then_some(address)
}

fn small(word: [u8; 32]) -> Option<u64> {
    U256::from_be_bytes(word).try_into().ok()
}

//! Who decides about blocks, as the genesis document says it in `config.purlin`.
//!
//! ```json
//! "purlin": { "validators": [{ "address": "0x..", "power": 1 }], "blockPeriodMs": 1000, "blockGasLimit": "0x1dcd6500" }
//! ```
//!
//! A chain without that key has no validators: whoever runs it makes its blocks. What stands here is part of the chain's
//! identity: the genesis header commits to it ([`ConsensusSpec::digest`]), so that chains with other validators are other
//! chains, and nothing signed for one counts in the other.

use super::{GAS_LIMIT_MIN, ensure, schedule::Schedule};
use crate::{Address, B256, Fork, GenesisError, genesis::document};
use alloy_genesis::{ChainConfig, Genesis};
use alloy_primitives::Keccak256;
use document::{Kind, Object};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// The key in `config`.
const KEY: &str = "purlin";
const PATH: &str = "config.purlin";

const KEYS: [&str; 3] = ["validators", "blockPeriodMs", "blockGasLimit"];
const VALIDATOR_KEYS: [&str; 2] = ["address", "power"];

/// What the digest begins with, so that it is no digest of anything else.
const DOMAIN: &[u8] = b"purlin/consensus/1";

const PERIOD: Duration = Duration::from_secs(1);
const PERIOD_MS: std::ops::RangeInclusive<u64> = 50..=3_600_000;

/// The most power of all together: sums and thirds of it never overflow.
const POWER_MAX: u64 = i64::MAX as u64 / 8;

/// The validators of a chain and the rules that they hold each other to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsensusSpec {
    /// With their power, in the order of the document. Never empty, nobody twice, nobody without power.
    pub validators: Vec<(Address, u64)>,
    /// From one block to the next: 50 ms to an hour; a second where the document says nothing.
    pub period: Duration,
    /// What every block's gas limit goes to; the genesis block's where the document says nothing.
    pub gas_limit: u64,
}

impl ConsensusSpec {
    /// Of a genesis; `None` for a chain without validators.
    pub(super) fn read(genesis: &Genesis, schedule: &Schedule) -> Result<Option<Self>, GenesisError> {
        let Some(given) = genesis
            .config
            .extra_fields
            .get(KEY)
            .filter(|given| !given.is_null())
        else {
            return Ok(None);
        };
        let given = document::object(PATH, given)?;
        known(PATH, given, &KEYS)?;
        ensure(schedule.fork_at(0, genesis.timestamp) >= Fork::Paris, || {
            (
                PATH,
                "set".to_owned(),
                "absent while block 0 is before the merge: validators decide about later ones only",
            )
        })?;
        ensure(genesis.mix_hash.is_zero(), || {
            let wanted = "absent: a genesis with config.purlin has the digest of its validators there";
            ("mixHash", genesis.mix_hash.to_string(), wanted)
        })?;
        Ok(Some(Self {
            validators: validators(given)?,
            period: period(given)?,
            gas_limit: gas_limit(given)?.unwrap_or(genesis.gas_limit),
        }))
    }

    /// Puts this into a configuration, as a genesis document has it.
    pub fn write(&self, config: &mut ChainConfig) {
        let validators: Vec<Value> = self
            .validators
            .iter()
            .map(|(address, power)| json!({ "address": address, "power": power }))
            .collect();
        let value = json!({
            "validators": validators,
            "blockPeriodMs": u64::try_from(self.period.as_millis()).unwrap_or(u64::MAX),
            "blockGasLimit": format!("{:#x}", self.gas_limit),
        });
        config.extra_fields.insert(KEY.to_owned(), value);
    }

    /// Keccak-256 of `purlin/consensus/1`, the period in milliseconds, the gas limit, and each validator's address and power
    /// in the order of the addresses; numbers are eight octets, the largest first. It is the genesis header's `mixHash`,
    /// which means nothing in a block that nobody mined and nobody proposed.
    pub fn digest(&self) -> B256 {
        let mut validators = self.validators.clone();
        validators.sort_unstable();
        let mut hasher = Keccak256::new();
        hasher.update(DOMAIN);
        hasher.update(
            u64::try_from(self.period.as_millis())
                .unwrap_or(u64::MAX)
                .to_be_bytes(),
        );
        hasher.update(self.gas_limit.to_be_bytes());
        for (address, power) in validators {
            hasher.update(address);
            hasher.update(power.to_be_bytes());
        }
        hasher.finalize()
    }
}

fn validators(given: &Object) -> Result<Vec<(Address, u64)>, GenesisError> {
    let path = format!("{PATH}.validators");
    let wanted = "a list of one validator at least, [{\"address\": \"0x..\", \"power\": 1}]";
    let list = match given.get("validators") {
        None | Some(Value::Null) => {
            let wanted = wanted.to_owned();
            return Err(GenesisError::Missing { path, wanted });
        }
        Some(list) => list
            .as_array()
            .filter(|list| !list.is_empty())
            .ok_or_else(|| GenesisError::Field {
                path: path.clone(),
                found: document::shown(list),
                wanted: wanted.to_owned(),
            })?,
    };
    let mut validators = Vec::with_capacity(list.len());
    let (mut seen, mut total) = (BTreeSet::new(), 0_u64);
    for (index, one) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let (address, power) = validator(&path, one)?;
        ensure(seen.insert(address), || {
            (
                format!("{path}.address"),
                address.to_string(),
                "an address that is not in the list yet",
            )
        })?;
        total = total.saturating_add(power);
        ensure(total <= POWER_MAX, || {
            (
                format!("{path}.power"),
                power.to_string(),
                "so low that all together stay below 2^60",
            )
        })?;
        validators.push((address, power));
    }
    Ok(validators)
}

fn validator(path: &str, one: &Value) -> Result<(Address, u64), GenesisError> {
    let one = document::object(path, one)?;
    known(path, one, &VALIDATOR_KEYS)?;
    let missing = |key: &str, wanted: &str| GenesisError::Missing {
        path: format!("{path}.{key}"),
        wanted: wanted.to_owned(),
    };
    document::field(&format!("{path}."), one, "address", Kind::Exactly(20))?;
    let address = one
        .get("address")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<Address>().ok());
    let address = address.ok_or_else(|| missing("address", "20 octets in hexadecimal"))?;
    ensure(!address.is_zero(), || {
        (
            format!("{path}.address"),
            address.to_string(),
            "the address of a key: nobody signs for address 0",
        )
    })?;
    let power = number(path, one, "power")?.ok_or_else(|| missing("power", "a number above 0"))?;
    ensure(power > 0, || {
        (
            format!("{path}.power"),
            "0".to_owned(),
            "above 0; who has no say is left out",
        )
    })?;
    Ok((address, power))
}

fn period(given: &Object) -> Result<Duration, GenesisError> {
    let Some(ms) = number(PATH, given, "blockPeriodMs")? else {
        return Ok(PERIOD);
    };
    ensure(PERIOD_MS.contains(&ms), || {
        (
            format!("{PATH}.blockPeriodMs"),
            ms.to_string(),
            "from 50 to 3600000 (an hour)",
        )
    })?;
    Ok(Duration::from_millis(ms))
}

fn gas_limit(given: &Object) -> Result<Option<u64>, GenesisError> {
    let limit = number(PATH, given, "blockGasLimit")?;
    ensure(
        limit.is_none_or(|limit| (GAS_LIMIT_MIN..=i64::MAX as u64).contains(&limit)),
        || {
            let found = limit.unwrap_or(0).to_string();
            (
                format!("{PATH}.blockGasLimit"),
                found,
                "from 5000 to 9223372036854775807",
            )
        },
    )?;
    Ok(limit)
}

/// A number as the rest of the document writes it; `None` where there is none.
fn number(path: &str, object: &Object, key: &str) -> Result<Option<u64>, GenesisError> {
    document::field(&format!("{path}."), object, key, Kind::U64)?;
    Ok(object.get(key).and_then(document::u64_of))
}

/// A key that is not understood is not passed over: two nodes would go by different rules without knowing it.
fn known(path: &str, object: &Object, keys: &[&str]) -> Result<(), GenesisError> {
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(GenesisError::Field {
            path: format!("{path}.{key}"),
            found: "no key of this section".to_owned(),
            wanted: format!("one of {}", keys.join(", ")),
        }),
    }
}

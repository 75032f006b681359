//! Each field of a genesis document against the kind of value that it must be.

use super::GenesisError;
use crate::{Fork, spec::FORK_KEYS};
use alloy_primitives::{U256, hex};
use serde_json::{Map, Value};

pub(crate) type Object = Map<String, Value>;

/// What a field may hold. Numbers may be JSON numbers, decimal strings or `0x` strings, as geth reads them.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    U64,
    U256,
    Bool,
    /// Hexadecimal octets, `0x` in front or not.
    Octets,
    /// Exactly so many octets.
    Exactly(usize),
    /// At most so many octets.
    Word,
}

const HEADER: &[(&str, Kind)] = &[
    ("nonce", Kind::U64),
    ("timestamp", Kind::U64),
    ("extraData", Kind::Octets),
    ("gasLimit", Kind::U64),
    ("difficulty", Kind::U256),
    ("mixHash", Kind::Exactly(32)),
    ("coinbase", Kind::Exactly(20)),
    ("number", Kind::U64),
    ("gasUsed", Kind::U64),
    ("parentHash", Kind::Exactly(32)),
    ("baseFeePerGas", Kind::U64),
    ("excessBlobGas", Kind::U64),
    ("blobGasUsed", Kind::U64),
];

const CONFIG: &[(&str, Kind)] = &[
    ("chainId", Kind::U64),
    ("daoForkSupport", Kind::Bool),
    ("terminalTotalDifficultyPassed", Kind::Bool),
    ("depositContractAddress", Kind::Exactly(20)),
    ("eip150Hash", Kind::Exactly(32)),
];

const ACCOUNT: &[(&str, Kind)] = &[
    ("balance", Kind::U256),
    ("nonce", Kind::U64),
    ("code", Kind::Octets),
    ("secretKey", Kind::Exactly(32)),
];

const BLOBS: &[(&str, Kind)] = &[
    ("target", Kind::U64),
    ("max", Kind::U64),
    ("baseFeeUpdateFraction", Kind::U64),
];

pub(super) fn check(document: &Value) -> Result<(), GenesisError> {
    let root = object("the document", document)?;
    fields("", root, HEADER)?;
    for key in ["gasLimit", "alloc", "config"] {
        required("", root, key)?;
    }
    config(object("config", &root["config"])?)?;
    for (address, account) in object("alloc", &root["alloc"])? {
        self::account(address, account)?;
    }
    Ok(())
}

fn config(config: &Object) -> Result<(), GenesisError> {
    required("config.", config, "chainId")?;
    fields("config.", config, CONFIG)?;
    if let Some((key, _)) = config
        .iter()
        .find(|(key, value)| !value.is_null() && is_unknown_fork(key))
    {
        return Err(GenesisError::UnknownFork {
            key: key.clone(),
            last: Fork::Bpo5,
        });
    }
    for key in FORK_KEYS {
        field("config.", config, key, Kind::U64)?;
    }
    if let Some(schedule) = config.get("blobSchedule").filter(|schedule| !schedule.is_null()) {
        for (fork, params) in object("config.blobSchedule", schedule)? {
            let path = format!("config.blobSchedule.{fork}.");
            let params = object(path.trim_end_matches('.'), params)?;
            for (key, _) in BLOBS {
                required(&path, params, key)?;
            }
            fields(&path, params, BLOBS)?;
        }
    }
    Ok(())
}

/// A fork that is not known must not be passed over: the chain would go another way than the rest of its network.
fn is_unknown_fork(key: &str) -> bool {
    (key.ends_with("Block") || key.ends_with("Time")) && !FORK_KEYS.contains(&key)
}

fn account(address: &str, account: &Value) -> Result<(), GenesisError> {
    let path = format!("alloc.{address}");
    if octets(address).is_none_or(|octets| octets != 20) {
        return Err(GenesisError::Field {
            path: "a key of alloc".to_owned(),
            found: format!("{address:?}"),
            wanted: "an address of 20 octets in hexadecimal".to_owned(),
        });
    }
    let account = object(&path, account)?;
    let path = format!("{path}.");
    required(&path, account, "balance")?;
    fields(&path, account, ACCOUNT)?;
    let Some(storage) = account.get("storage").filter(|storage| !storage.is_null()) else {
        return Ok(());
    };
    let path = format!("{path}storage.");
    for (slot, value) in object(path.trim_end_matches('.'), storage)? {
        kind(
            &format!("{path}{slot} (the slot)"),
            &Value::String(slot.clone()),
            Kind::Word,
        )?;
        kind(&format!("{path}{slot}"), value, Kind::Word)?;
    }
    Ok(())
}

pub(crate) fn object<'a>(path: &str, value: &'a Value) -> Result<&'a Object, GenesisError> {
    value.as_object().ok_or_else(|| GenesisError::Field {
        path: path.to_owned(),
        found: shown(value),
        wanted: "an object, { ... }".to_owned(),
    })
}

fn required(path: &str, object: &Object, key: &str) -> Result<(), GenesisError> {
    if object.get(key).is_some_and(|value| !value.is_null()) {
        return Ok(());
    }
    let wanted = match key {
        "alloc" => "an object of addresses with their balances",
        "config" => "an object with chainId and the forks",
        _ => "a number, in decimal or as \"0x...\"",
    };
    Err(GenesisError::Missing {
        path: format!("{path}{key}"),
        wanted: wanted.to_owned(),
    })
}

fn fields(path: &str, object: &Object, kinds: &[(&str, Kind)]) -> Result<(), GenesisError> {
    kinds
        .iter()
        .try_for_each(|(key, kind)| field(path, object, key, *kind))
}

/// Absent and `null` are the same; what must be there is asked for by [`required`].
pub(crate) fn field(path: &str, object: &Object, key: &str, wanted: Kind) -> Result<(), GenesisError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(()),
        Some(value) => kind(&format!("{path}{key}"), value, wanted),
    }
}

fn kind(path: &str, value: &Value, kind: Kind) -> Result<(), GenesisError> {
    let text = value.as_str();
    let holds = match kind {
        Kind::U64 => u64_of(value).is_some(),
        Kind::U256 => value.is_u64() || text.and_then(number).is_some(),
        Kind::Bool => value.is_boolean(),
        Kind::Octets => text.and_then(octets).is_some(),
        Kind::Exactly(length) => text.and_then(octets) == Some(length),
        Kind::Word => text.and_then(octets).is_some_and(|octets| octets <= 32),
    };
    if holds {
        return Ok(());
    }
    Err(GenesisError::Field {
        path: path.to_owned(),
        found: shown(value),
        wanted: kind.wanted(),
    })
}

impl Kind {
    fn wanted(self) -> String {
        match self {
            Self::U64 => "a number from 0 to 18446744073709551615, in decimal or as \"0x...\"".to_owned(),
            Self::U256 => "a number below 2^256, as \"0x...\" or as a decimal string".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Octets => "octets in hexadecimal, \"0x\" and two digits for each".to_owned(),
            Self::Exactly(length) => format!("{length} octets in hexadecimal"),
            Self::Word => "at most 32 octets in hexadecimal, two digits for each".to_owned(),
        }
    }
}

/// The number that a field of kind [`Kind::U64`] holds.
pub(crate) fn u64_of(value: &Value) -> Option<u64> {
    let written = || u64::try_from(number(value.as_str()?)?).ok();
    value.as_u64().or_else(written)
}

fn number(text: &str) -> Option<U256> {
    match text.strip_prefix("0x") {
        Some("") => None,
        Some(digits) => U256::from_str_radix(digits, 16).ok(),
        None => U256::from_str_radix(text, 10).ok().filter(|_| !text.is_empty()),
    }
}

/// How many octets the text holds.
fn octets(text: &str) -> Option<usize> {
    hex::decode(text).ok().map(|octets| octets.len())
}

/// The value as it stands in the document, cut when it is long.
pub(crate) fn shown(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}... ({} characters)", &text[..end], text.chars().count()),
        None => text,
    }
}

//! Positional arguments, checked the way geth does it and refused in its words.

use crate::fault::Fault;
use jsonrpsee::types::Params;
use purlin_chain_proto::{Address, B256, Bytes, U256};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// The arguments of one request.
#[derive(Debug)]
pub(crate) struct Args(Vec<Box<RawValue>>);

impl Args {
    /// Takes the request's parameters; at most `max` of them.
    pub(super) fn read(params: &Params<'_>, max: usize) -> Result<Self, Fault> {
        let Some(text) = params.as_str().filter(|text| !text.trim().is_empty()) else {
            return Ok(Self(Vec::new()));
        };
        if text.trim() == "null" {
            return Ok(Self(Vec::new()));
        }
        let list: Vec<Box<RawValue>> =
            serde_json::from_str(text).map_err(|_| Fault::params("non-array args"))?;
        if list.len() > max {
            return Err(Fault::params(format!("too many arguments, want at most {max}")));
        }
        Ok(Self(list))
    }

    /// An argument that must be there.
    pub(crate) fn need<T: DeserializeOwned>(&self, index: usize) -> Result<T, Fault> {
        self.maybe(index)?
            .ok_or_else(|| Fault::params(format!("missing value for required argument {index}")))
    }

    /// An argument that may be left out or null.
    pub(crate) fn maybe<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, Fault> {
        match self.0.get(index).map(|raw| raw.get()) {
            None | Some("null") => Ok(None),
            Some(text) => serde_json::from_str(text)
                .map(Some)
                .map_err(|e| invalid(index, e)),
        }
    }

    pub(crate) fn address(&self, index: usize) -> Result<Address, Fault> {
        let text: String = self.need(index)?;
        prefixed(index, &text)?;
        text.parse().map_err(|e| invalid(index, e))
    }

    pub(crate) fn hash(&self, index: usize) -> Result<B256, Fault> {
        let text: String = self.need(index)?;
        prefixed(index, &text)?;
        text.parse().map_err(|e| invalid(index, e))
    }

    pub(crate) fn octets(&self, index: usize) -> Result<Bytes, Fault> {
        let text: String = self.need(index)?;
        prefixed(index, &text)?;
        text.parse().map_err(|e| invalid(index, e))
    }

    /// A quantity: `0x` and digits, or a plain JSON number as some clients send.
    pub(crate) fn quantity(&self, index: usize) -> Result<u64, Fault> {
        quantity(&self.need::<Value>(index)?).map_err(|e| invalid(index, e))
    }

    /// A storage key: hexadecimal, at most 32 octets, leading zeros may be missing.
    pub(crate) fn slot(&self, index: usize) -> Result<U256, Fault> {
        slot(&self.need::<String>(index)?)
    }
}

/// "Argument 0 is wrong" in geth's words.
pub(crate) fn invalid(index: usize, why: impl std::fmt::Display) -> Fault {
    Fault::params(format!("invalid argument {index}: {why}"))
}

fn prefixed(index: usize, text: &str) -> Result<(), Fault> {
    if text.starts_with("0x") || text.starts_with("0X") {
        return Ok(());
    }
    Err(invalid(index, "hex string without 0x prefix"))
}

/// A quantity as a number.
pub(crate) fn quantity(value: &Value) -> Result<u64, String> {
    if let Some(number) = value.as_u64() {
        return Ok(number);
    }
    let text = value
        .as_str()
        .ok_or_else(|| "a quantity is a hex string".to_owned())?;
    let digits = text.strip_prefix("0x").ok_or("hex string without 0x prefix")?;
    if digits.is_empty() {
        return Err("hex string \"0x\"".to_owned());
    }
    u64::from_str_radix(digits, 16).map_err(|_| format!("invalid hex number {text:?}"))
}

/// A storage key as a number.
pub(crate) fn slot(text: &str) -> Result<U256, Fault> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() > 64 {
        return Err(Fault::params(format!(
            "storage key too long (want at most 32 bytes): {text:?}"
        )));
    }
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Fault::params(format!("invalid hex in storage key: {text:?}")));
    }
    if digits.is_empty() {
        return Ok(U256::ZERO);
    }
    U256::from_str_radix(digits, 16).map_err(|e| Fault::params(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_be_short_but_not_wrong_or_long() {
        let check = |text: &str, wanted: Option<u64>| {
            assert_eq!(slot(text).ok(), wanted.map(U256::from), "{text}");
        };
        check("0x0", Some(0));
        check("0x", Some(0));
        check("0x0f", Some(15));
        check("7", Some(7));
        check("0xasdf", None);
        check(&format!("0x{}", "0".repeat(65)), None);
    }

    #[test]
    fn arguments_are_refused_in_geths_words() {
        let read = |text: &'static str, max| Args::read(&Params::new(Some(text)), max);
        let says = |fault: Fault| fault.message().to_owned();
        assert_eq!(says(read("{}", 2).unwrap_err()), "non-array args");
        assert_eq!(
            says(read("[1,2,3]", 2).unwrap_err()),
            "too many arguments, want at most 2"
        );
        let args = read(r#"["12", null]"#, 2).expect("arguments");
        assert_eq!(
            says(args.hash(0).unwrap_err()),
            "invalid argument 0: hex string without 0x prefix"
        );
        assert_eq!(
            says(args.address(1).unwrap_err()),
            "missing value for required argument 1"
        );
        assert_eq!(args.maybe::<u64>(1).expect("left out"), None);
    }
}

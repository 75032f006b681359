//! JSON-RPC errors with the codes and words of geth, for clients match on both.
//!
//! ```text
//!      3  reverted, with the revert's octets as data      -32601  no such method (jsonrpsee's)
//! -32000  what a node refuses or does not have            -32602  an argument is wrong
//! -32002  out of time                                     -32005  a limit
//! ```

use jsonrpsee::types::ErrorObjectOwned;
use purlin_chain_proto::{Bytes, U256};
use serde_json::value::RawValue;

/// A JSON-RPC error.
#[derive(Debug, Clone)]
pub struct Fault {
    code: i32,
    message: String,
    data: Option<Bytes>,
}

impl Fault {
    #[must_use]
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// -32000: what a node refuses, or does not have.
    pub(crate) fn server(message: impl Into<String>) -> Self {
        Self::new(-32_000, message)
    }

    /// -32602: an argument is wrong.
    pub(crate) fn params(message: impl Into<String>) -> Self {
        Self::new(-32_602, message)
    }

    /// -32005: a limit of this node.
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(-32_005, message)
    }

    /// -32002: the deadline has passed.
    pub(crate) fn timeout() -> Self {
        Self::new(-32_002, "request timed out")
    }

    /// -32603: something of ours broke.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(-32_603, error.to_string())
    }

    pub(crate) fn header_not_found() -> Self {
        Self::server("header not found")
    }

    /// 3: the call reverted; the octets let clients decode the reason.
    pub(crate) fn reverted(output: &Bytes) -> Self {
        let message = match reason(output) {
            Some(reason) => format!("execution reverted: {reason}"),
            None => "execution reverted".to_owned(),
        };
        Self {
            code: 3,
            message,
            data: Some(output.clone()),
        }
    }

    #[must_use]
    pub fn code(&self) -> i32 {
        self.code
    }

    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<Fault> for ErrorObjectOwned {
    fn from(fault: Fault) -> Self {
        Self::owned(fault.code, fault.message, fault.data)
    }
}

/// What a method gives back: JSON text, made on the thread that did the work.
pub(crate) type Answer = Result<Box<RawValue>, Fault>;

/// `Error(string)` and `Panic(uint256)` of Solidity in words.
fn reason(output: &[u8]) -> Option<String> {
    let (selector, rest) = output.split_at_checked(4)?;
    match selector {
        [0x08, 0xc3, 0x79, 0xa0] => {
            let offset = small(rest.get(..32)?)?;
            let text = rest.get(offset..)?;
            let length = small(text.get(..32)?)?;
            let text = text.get(32..)?.get(..length)?;
            Some(String::from_utf8_lossy(text).into_owned())
        }
        [0x4e, 0x48, 0x7b, 0x71] => Some(panic_words(small(rest.get(..32)?)?).to_owned()),
        _ => None,
    }
}

fn small(word: &[u8]) -> Option<usize> {
    usize::try_from(U256::from_be_slice(word)).ok()
}

/// Solidity's panic codes in geth's words.
fn panic_words(code: usize) -> &'static str {
    match code {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => "unknown panic code",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(octets: &str, says: &str) {
        let output: Bytes = octets.parse().expect("hex");
        let fault = Fault::reverted(&output);
        assert_eq!(fault.message(), says);
        assert_eq!(fault.code(), 3);
    }

    #[test]
    fn a_revert_is_told_in_words_where_it_has_some() {
        check("0x", "execution reverted");
        check("0x01020304", "execution reverted");
        check(
            concat!(
                "0x08c379a0",
                "0000000000000000000000000000000000000000000000000000000000000020",
                "000000000000000000000000000000000000000000000000000000000000000a",
                "75736572206572726f72"
            ),
            "execution reverted: user error",
        );
        check(
            "0x4e487b710000000000000000000000000000000000000000000000000000000000000011",
            "execution reverted: arithmetic underflow or overflow",
        );
        // A length beyond the octets is no reason, and no panic either.
        check(
            concat!(
                "0x08c379a0",
                "0000000000000000000000000000000000000000000000000000000000000020",
                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            ),
            "execution reverted",
        );
    }
}

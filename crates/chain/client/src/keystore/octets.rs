//! Octets as the files have them: hexadecimal, without `0x` when written, with or without when read.

use super::KeystoreError;

/// So many octets in hexadecimal.
pub(super) fn exact<const N: usize>(field: &str, text: &str) -> Result<[u8; N], KeystoreError> {
    let octets = any(field, text)?;
    let length = octets.len();
    octets
        .try_into()
        .map_err(|_| KeystoreError::Form(format!("{field} has {length} octets, and must have {N}")))
}

/// Any number of octets in hexadecimal.
pub(super) fn any(field: &str, text: &str) -> Result<Vec<u8>, KeystoreError> {
    alloy_primitives::hex::decode(text)
        .map_err(|cause| KeystoreError::Form(format!("{field} is not hexadecimal: {cause}")))
}

pub(super) fn hex(octets: &[u8]) -> String {
    alloy_primitives::hex::encode(octets)
}

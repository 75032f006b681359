//! Random octets, hexadecimal digits, digests.

use ring::digest::{SHA256, digest};
use std::fmt::Write;

/// Octets from the kernel.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).expect("the kernel gives random numbers once it has started");
    octets
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    let digits = String::with_capacity(octets.len() * 2);
    octets.iter().fold(digits, |mut text, octet| {
        write!(text, "{octet:02x}").expect("a String takes every text");
        text
    })
}

/// Octets behind hexadecimal digits; `None` when there is anything else, or an odd digit.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match *pair {
            [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

pub(crate) fn sha256(octets: &[u8]) -> [u8; 32] {
    let found = digest(&SHA256, octets);
    found.as_ref().try_into().expect("SHA-256 has 32 octets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_octets_are_each_others_inverse() {
        let octets = random::<20>();
        assert_eq!(unhex(&hex(&octets)), Some(octets.to_vec()));
        assert_eq!((unhex("0"), unhex("0g"), unhex("é")), (None, None, None));
    }
}

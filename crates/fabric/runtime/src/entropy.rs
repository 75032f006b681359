//! Randomness of the operating system.

/// 128 bits that nobody else has.
pub(crate) fn token() -> u128 {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).expect("the operating system has entropy once it has started processes");
    u128::from_ne_bytes(octets)
}

/// A seed for jitter.
pub(crate) fn seed() -> u64 {
    token() as u64
}

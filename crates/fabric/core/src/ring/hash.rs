//! A hash that never changes.
//!
//! Plans are compared over releases and balancers over machines, so the hash is written down here rather than taken
//! from a crate that may improve its own: FNV-1a over the octets, then the finalizer of SplitMix64 (Steele, Lea and
//! Flood, "Fast splittable pseudorandom number generators", 2014), because FNV alone leaves the high bits of short
//! names alike. It resists accidents, not adversaries: whoever names nodes is an operator.

/// 64 bits of `bytes`.
pub(crate) fn of_bytes(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(fnv)
}

/// A bijection in which every bit of the input reaches every bit of the output.
pub(crate) const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_what_it_always_was() {
        // SplitMix64 seeded with 0 begins with this number in every implementation.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(of_bytes(b""), mix(0xcbf2_9ce4_8422_2325));
        assert_eq!(of_bytes(b"a"), mix(0xaf63_dc4c_8601_ec8c));
    }
}

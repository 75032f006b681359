//! Numbers as columns.

/// A key as `bigint`, in the same order: the column is signed and keys are not, so 0 is stored as the least number.
pub(super) fn key(key: u64) -> i64 {
    (key ^ (1 << 63)).cast_signed()
}

/// The key that a column holds.
pub(super) fn key_of(column: i64) -> u64 {
    column.cast_unsigned() ^ (1 << 63)
}

/// A slot as `smallint`: below 4096 by its type.
pub(super) fn slot(slot: purlin_types::Slot) -> i16 {
    slot.index().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_keep_the_order_of_keys() {
        let keys = [0, 1, u64::from(u32::MAX), 1 << 63, u64::MAX];
        assert!(keys.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(keys.iter().all(|&k| key_of(key(k)) == k));
    }
}

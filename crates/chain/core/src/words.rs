//! How amounts are written in sentences.

use std::fmt;

const GWEI: u128 = 1_000_000_000;

/// An amount of wei as people read it: in gwei from a thousandth of a gwei on, in wei below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wei(pub u128);

impl fmt::Display for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < GWEI / 1000 {
            return write!(f, "{} wei", self.0);
        }
        let (whole, rest) = (self.0 / GWEI, self.0 % GWEI);
        if rest == 0 {
            return write!(f, "{whole} gwei");
        }
        let digits = format!("{rest:09}");
        write!(f, "{whole}.{} gwei", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_short() {
        for (wei, text) in [
            (0, "0 wei"),
            (7, "7 wei"),
            (1_000_000, "0.001 gwei"),
            (GWEI, "1 gwei"),
            (GWEI * 3 / 2, "1.5 gwei"),
            (GWEI + 1, "1.000000001 gwei"),
        ] {
            assert_eq!(Wei(wei).to_string(), text);
        }
    }
}

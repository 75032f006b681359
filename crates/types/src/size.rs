//! Byte sizes as people write them: `32Gi`, `64 MiB`, `10GB`, `4096`.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SizeError {
    Number(String),
    Unit(String),
    Overflow,
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(text) => write!(f, "{text:?} is no number of bytes"),
            Self::Unit(unit) => {
                write!(
                    f,
                    "unknown unit {unit:?}; use B, K, M, G, T (powers of 1000) or Ki, Mi, Gi, Ti (powers of 1024)"
                )
            }
            Self::Overflow => f.write_str("the size does not fit 64 bits"),
        }
    }
}

impl std::error::Error for SizeError {}

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number: u64 = text[..digits]
            .parse()
            .map_err(|_| SizeError::Number(text.to_owned()))?;
        let unit = text[digits..].trim();
        let factor: u64 = match unit.strip_suffix(['B', 'b']).unwrap_or(unit) {
            "" => 1,
            "K" | "k" => 1_000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            "Gi" => 1 << 30,
            "Ti" => 1 << 40,
            _ => return Err(SizeError::Unit(unit.to_owned())),
        };
        number.checked_mul(factor).map(Self).ok_or(SizeError::Overflow)
    }
}

impl fmt::Display for ByteSize {
    /// The largest binary unit that divides the size exactly, so that the text reads back as the same number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)] {
            if self.0 != 0 && self.0.is_multiple_of(1 << shift) {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_kubernetes_and_people_write_them() {
        for (text, bytes) in [
            ("32Gi", 32 << 30),
            ("64 MiB", 64 << 20),
            ("10GB", 10_000_000_000),
            ("7", 7),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        assert_eq!("12Q".parse::<ByteSize>(), Err(SizeError::Unit("Q".into())));
    }

    #[test]
    fn a_printed_size_reads_back() {
        for bytes in [0, 1, 1023, 1024, 5 << 20, (1 << 30) + 1] {
            assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }
    }
}

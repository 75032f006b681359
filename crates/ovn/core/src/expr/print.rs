//! Formulas as text that reads back to an equal formula, in the form of OVN's own tools.

use super::formula::{Bits, Formula};
use super::number::ones;
use super::syntax::{Relation, quoted};
use std::fmt;

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(bits) => bits.fmt(f),
            Self::Text { symbol, equal, value } => {
                let relation = if *equal { Relation::Eq } else { Relation::Ne };
                write!(f, "{} {relation} ", symbol.name)?;
                quoted(value, f)
            }
            Self::Resident { port, is } => {
                f.write_str(if *is {
                    "is_chassis_resident("
                } else {
                    "!is_chassis_resident("
                })?;
                quoted(port, f)?;
                f.write_str(")")
            }
            Self::And(parts) => joined(parts, "&&", f),
            Self::Or(parts) => joined(parts, "||", f),
            Self::Constant(value) => f.write_str(if *value { "1" } else { "0" }),
        }
    }
}

fn joined(parts: &[Formula], sign: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            write!(f, " {sign} ")?;
        }
        match part {
            Formula::And(_) | Formula::Or(_) => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            symbol,
            relation,
            value,
            mask,
        } = self;
        let run = run(*mask);
        if let (Some((low, 1)), Relation::Eq | Relation::Ne) = (run, relation) {
            let set = (value >> low & 1 == 1) == (*relation == Relation::Eq);
            let not = if set { "" } else { "!" };
            return match symbol.width {
                1 => write!(f, "{not}{}", symbol.name),
                _ => write!(f, "{not}{}[{low}]", symbol.name),
            };
        }
        f.write_str(symbol.name)?;
        match run {
            Some((_, width)) if width >= symbol.width => {}
            Some((low, 1)) => write!(f, "[{low}]")?,
            Some((low, width)) => write!(f, "[{low}..{}]", low + width - 1)?,
            None => {}
        }
        write!(f, " {relation} ")?;
        match run {
            Some((low, _)) => hex(value >> low, f),
            None => {
                hex(*value, f)?;
                f.write_str("/")?;
                hex(*mask, f)
            }
        }
    }
}

/// OVN writes zero without `0x`.
fn hex(value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        0 => f.write_str("0"),
        _ => write!(f, "{value:#x}"),
    }
}

/// Lowest bit and length of a mask that is one run of ones.
pub(super) fn run(mask: u128) -> Option<(u32, u32)> {
    let low = mask.trailing_zeros();
    let length = mask.checked_shr(low)?.trailing_ones();
    (mask != 0 && mask >> low == ones(length)).then_some((low, length))
}

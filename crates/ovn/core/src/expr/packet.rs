//! A packet as an expression sees it, and what an expression says about it.

use super::constraint::Packed;
use super::formula::{Bits, Formula};
use super::number::{Format, Number, ones};
use super::symbol::{Symbol, symbol, symbols};
use super::syntax::{Field, quoted};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Values of whole fields; what is not said is zero, a port that is not said is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packet {
    bits: BTreeMap<u16, u128>,
    texts: BTreeMap<u16, Arc<str>>,
    resident: BTreeSet<Arc<str>>,
}

impl Packet {
    /// Sets a field or a part of one. False when there is no such field, or it is too narrow for the value.
    pub fn set(&mut self, name: &str, value: u128) -> bool {
        let Some(symbol) = symbol(name).filter(|s| !s.is_text() && value <= ones(s.width)) else {
            return false;
        };
        if symbol.is_predicate() {
            return false;
        }
        let (whole, low) = symbol.whole();
        let bits = self.bits.entry(whole.id()).or_default();
        *bits = *bits & !(ones(symbol.width) << low) | value << low;
        true
    }

    /// Sets `inport` or `outport`.
    pub fn set_port(&mut self, name: &str, port: &str) -> bool {
        let Some(symbol) = symbol(name).filter(|s| s.is_text()) else {
            return false;
        };
        self.texts.insert(symbol.id(), port.into());
        true
    }

    /// Lets a port's chassis be this one, for `is_chassis_resident`.
    pub fn reside(&mut self, port: &str) {
        self.resident.insert(port.into());
    }

    /// Whether the expression is true of it.
    pub fn satisfies(&self, formula: &Formula) -> bool {
        match formula {
            Formula::Bits(bits) => self.compares(bits),
            Formula::Text { symbol, equal, value } => (self.texts.get(&symbol.id()) == Some(value)) == *equal,
            Formula::Resident { port, is } => self.resident.contains(port) == *is,
            Formula::And(parts) => parts.iter().all(|part| self.satisfies(part)),
            Formula::Or(parts) => parts.iter().any(|part| self.satisfies(part)),
            Formula::Constant(value) => *value,
        }
    }

    fn compares(&self, bits: &Bits) -> bool {
        if let Some(expansion) = bits.symbol.expansion() {
            let set = self.satisfies(expansion);
            return bits.relation.holds(set.into(), bits.value & 1);
        }
        let (whole, low) = bits.symbol.whole();
        let value = self.bits.get(&whole.id()).copied().unwrap_or(0) >> low;
        bits.relation.holds(value & bits.mask, bits.value)
    }

    pub(super) fn packed(packed: Packed) -> Self {
        Self {
            bits: packed.bits,
            texts: packed.texts,
            resident: packed.resident,
        }
    }
}

/// As an expression that only this packet's values satisfy: `eth.type == 0x800 && ip4.src == 10.0.0.1`.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sign = "";
        for (id, port) in &self.texts {
            write!(f, "{sign}{} == ", by_id(*id).name)?;
            quoted(port, f)?;
            sign = " && ";
        }
        for (id, value) in &self.bits {
            let symbol = by_id(*id);
            let field = Field {
                symbol,
                low: 0,
                width: symbol.width,
            };
            write!(f, "{sign}{field} == {}", shown(symbol, *value))?;
            sign = " && ";
        }
        for port in &self.resident {
            write!(f, "{sign}is_chassis_resident(")?;
            quoted(port, f)?;
            f.write_str(")")?;
            sign = " && ";
        }
        if sign.is_empty() {
            f.write_str("1")?;
        }
        Ok(())
    }
}

fn by_id(id: u16) -> &'static Symbol {
    &symbols()[usize::from(id)]
}

/// In the form in which people write values of this field.
fn shown(symbol: &Symbol, value: u128) -> Number {
    let protocol_address = symbol.name.ends_with("pa");
    let format = match symbol.width {
        32 if symbol.name.starts_with("ip4.") || protocol_address => Format::Ipv4,
        128 if symbol.name.starts_with("ip6.") || symbol.name == "nd.target" => Format::Ipv6,
        48 => Format::Ethernet,
        8 | 12 => Format::Decimal,
        16 if symbol.name.ends_with(".src") || symbol.name.ends_with(".dst") => Format::Decimal,
        _ => Format::Hexadecimal,
    };
    Number {
        value,
        mask: None,
        format,
    }
}

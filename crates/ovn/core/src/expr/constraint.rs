//! What is known of a packet while a formula is being solved: bits that are fixed, values that are excluded.

use super::formula::{Bits, Formula};
use super::syntax::Relation;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A leaf under what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Open,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    bits: BTreeMap<u16, Place>,
    texts: BTreeMap<u16, Text>,
    resident: BTreeMap<Arc<str>, bool>,
}

/// One field: its fixed bits, and patterns that it must not have.
#[derive(Debug, Clone, Default)]
struct Place {
    width: u32,
    fixed: Pattern,
    not: Vec<Pattern>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Pattern {
    value: u128,
    mask: u128,
}

#[derive(Debug, Clone, Default)]
struct Text {
    is: Option<Arc<str>>,
    not: Vec<Arc<str>>,
}

/// Values for all that was constrained.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub bits: BTreeMap<u16, u128>,
    pub texts: BTreeMap<u16, Arc<str>>,
    pub resident: BTreeSet<Arc<str>>,
}

/// The knowledge contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contradiction;

impl Pattern {
    /// Some bit differs in both masks: nothing has both patterns.
    fn excludes(self, other: Self) -> bool {
        (self.value ^ other.value) & self.mask & other.mask != 0
    }
}

impl Place {
    fn truth(&self, wanted: Pattern) -> Truth {
        if wanted.excludes(self.fixed) {
            return Truth::False;
        }
        if wanted.mask & !self.fixed.mask == 0 {
            return Truth::True;
        }
        let both = self.fixed.mask | wanted.mask;
        let value = self.fixed.value | wanted.value;
        let banned = |not: &Pattern| not.mask & !both == 0 && (not.value ^ value) & not.mask == 0;
        match self.not.iter().any(banned) {
            true => Truth::False,
            false => Truth::Open,
        }
    }

    fn fix(&mut self, wanted: Pattern) -> Result<(), Contradiction> {
        if wanted.excludes(self.fixed) {
            return Err(Contradiction);
        }
        self.fixed.mask |= wanted.mask;
        self.fixed.value |= wanted.value;
        self.settle()
    }

    fn exclude(&mut self, unwanted: Pattern) -> Result<(), Contradiction> {
        self.not.push(unwanted);
        self.settle()
    }

    /// Drops exclusions that hold by now, and fixes a bit where only one way is left.
    fn settle(&mut self) -> Result<(), Contradiction> {
        let mut at = 0;
        while at < self.not.len() {
            let not = self.not[at];
            let open = not.mask & !self.fixed.mask;
            if not.excludes(self.fixed) {
                self.not.swap_remove(at);
            } else if open == 0 {
                return Err(Contradiction);
            } else if open.is_power_of_two() {
                self.not.swap_remove(at);
                self.fixed.mask |= open;
                self.fixed.value |= !not.value & open;
                at = 0;
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    /// Share of the open values that the exclusions take at most.
    fn excluded_share(&self) -> f64 {
        let share = |not: &Pattern| {
            let open = (not.mask & !self.fixed.mask).count_ones();
            0.5f64.powi(i32::try_from(open).expect("at most 128 bits"))
        };
        self.not.iter().map(share).sum()
    }

    /// A value within the fixed bits and outside of the exclusions. `None` when the steps ran out.
    fn value(mut self, steps: &mut usize) -> Option<Result<u128, Contradiction>> {
        loop {
            *steps = steps.checked_sub(self.not.len() + 1)?;
            let Some(tightest) = self
                .not
                .iter()
                .min_by_key(|not| (not.mask & !self.fixed.mask).count_ones())
            else {
                return Some(Ok(self.fixed.value));
            };
            let open = tightest.mask & !self.fixed.mask;
            let bit = 1u128 << (127 - open.leading_zeros());
            let half = |value: u128| {
                let mut half = self.clone();
                half.fix(Pattern { value, mask: bit }).map(|()| half)
            };
            match (half(0), half(bit)) {
                (Err(Contradiction), Err(Contradiction)) => return Some(Err(Contradiction)),
                (Ok(half), Err(Contradiction)) | (Err(Contradiction), Ok(half)) => self = half,
                (Ok(zero), Ok(one)) => {
                    let (first, second) = match zero.excluded_share() <= one.excluded_share() {
                        true => (zero, one),
                        false => (one, zero),
                    };
                    // Where less than all is excluded, one half has the same property: no way back is needed.
                    if first.excluded_share() >= 1.0
                        && let done @ (None | Some(Ok(_))) = first.clone().value(steps)
                    {
                        return done;
                    }
                    self = if first.excluded_share() >= 1.0 {
                        second
                    } else {
                        first
                    };
                }
            }
        }
    }
}

impl Known {
    /// What is known of a leaf. Relations of order are patterns by now.
    pub(super) fn truth(&self, leaf: &Formula) -> Truth {
        match leaf {
            Formula::Constant(value) => truth(*value),
            Formula::Bits(bits) => {
                let place = self.bits.get(&bits.symbol.id());
                let equal = place.map_or(empty_truth(bits), |place| place.truth(pattern(bits)));
                same(equal, bits.relation == Relation::Eq)
            }
            Formula::Text { symbol, equal, value } => {
                let known = self.texts.get(&symbol.id());
                let is = known.map_or(Truth::Open, |text| match &text.is {
                    Some(is) => truth(is == value),
                    None if text.not.contains(value) => Truth::False,
                    None => Truth::Open,
                });
                same(is, *equal)
            }
            Formula::Resident { port, is } => {
                let known = self.resident.get(port).map_or(Truth::Open, |known| truth(*known));
                same(known, *is)
            }
            Formula::And(_) | Formula::Or(_) => Truth::Open,
        }
    }

    /// Takes a leaf for true.
    pub(super) fn assume(&mut self, leaf: &Formula) -> Result<(), Contradiction> {
        match leaf {
            Formula::Bits(bits) => {
                let place = self.bits.entry(bits.symbol.id()).or_default();
                place.width = bits.symbol.width;
                match bits.relation {
                    Relation::Eq => place.fix(pattern(bits)),
                    _ => place.exclude(pattern(bits)),
                }
            }
            Formula::Text { symbol, equal, value } => {
                let text = self.texts.entry(symbol.id()).or_default();
                let other = text.is.as_ref().is_some_and(|is| (is == value) != *equal);
                match equal {
                    true => text.is = Some(value.clone()),
                    false => text.not.push(value.clone()),
                }
                contradicted(other || (*equal && text.not.contains(value)))
            }
            Formula::Resident { port, is } => {
                let known = *self.resident.entry(port.clone()).or_insert(*is);
                contradicted(known != *is)
            }
            Formula::Constant(value) => contradicted(!value),
            Formula::And(_) | Formula::Or(_) => Ok(()),
        }
    }

    /// Values that agree with all that is known. `None` when the steps ran out.
    pub(super) fn packed(self, steps: &mut usize) -> Option<Result<Packed, Contradiction>> {
        let mut packed = Packed::default();
        for (id, place) in self.bits {
            match place.value(steps)? {
                Ok(value) => packed.bits.insert(id, value),
                Err(contradiction) => return Some(Err(contradiction)),
            };
        }
        for (id, text) in self.texts {
            packed
                .texts
                .insert(id, text.is.unwrap_or_else(|| unlike(&text.not)));
        }
        packed.resident = self
            .resident
            .into_iter()
            .filter(|(_, is)| *is)
            .map(|(port, _)| port)
            .collect();
        Some(Ok(packed))
    }
}

/// A name that is none of those.
fn unlike(not: &[Arc<str>]) -> Arc<str> {
    let name = (0..=not.len()).map(|n| Arc::from(format!("another-port-{n}")));
    let mut free = name.filter(|name| !not.contains(name));
    free.next().expect("one more name than there are in the list")
}

fn pattern(bits: &Bits) -> Pattern {
    Pattern {
        value: bits.value & bits.mask,
        mask: bits.mask,
    }
}

/// Of a field of which nothing is known, only a comparison of no bits is decided.
fn empty_truth(bits: &Bits) -> Truth {
    match bits.mask {
        0 => Truth::True,
        _ => Truth::Open,
    }
}

fn truth(value: bool) -> Truth {
    if value { Truth::True } else { Truth::False }
}

fn same(truth: Truth, positive: bool) -> Truth {
    match (truth, positive) {
        (Truth::True, false) => Truth::False,
        (Truth::False, false) => Truth::True,
        (truth, _) => truth,
    }
}

fn contradicted(is: bool) -> Result<(), Contradiction> {
    if is { Err(Contradiction) } else { Ok(()) }
}

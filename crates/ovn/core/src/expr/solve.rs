//! Whether any packet satisfies a formula, and which one.
//!
//! Facts first, then alternatives: what contradicts the facts is struck out, an alternative with one way left becomes a
//! fact, and only then one is tried after the other. Every look at a leaf is a step, and the steps are bounded, so that
//! an expression made to be hard costs a known time and gets the answer "unknown".

use super::annotate::annotate;
use super::constraint::{Known, Truth};
use super::formula::{Bits, Formula, Join};
use super::packet::Packet;
use super::syntax::Relation;

/// Looks at leaves before the answer is "unknown".
pub const STEPS_MAX: usize = 1_000_000;

/// Alternatives tried within each other.
const TRIES_DEEP: usize = 300;

/// The answer to "is there a packet that ...".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There is, and this is one.
    Packet(Box<Packet>),
    Never,
    /// It takes more than [`STEPS_MAX`] to find out.
    Unknown,
}

/// A formula made ready for questions, for when one is asked about many times.
#[derive(Debug, Clone)]
pub struct Goal {
    is: Formula,
    is_not: Formula,
}

impl Goal {
    /// Predicates, parts and needs are written out.
    pub fn new(formula: &Formula) -> Self {
        let is = patterns(&annotate(formula));
        let is_not = is.negated();
        Self { is, is_not }
    }
}

/// Whether any packet satisfies the formula. It may hold predicates and parts still.
pub fn satisfiable(formula: &Formula) -> Answer {
    ask(&[&Goal::new(formula)], &[])
}

/// Whether any packet satisfies `formula` and none of `others`: `Never` means that they leave it nothing.
pub fn covered(formula: &Formula, others: &[&Formula]) -> Answer {
    let others: Vec<Goal> = others.iter().map(|other| Goal::new(other)).collect();
    ask(&[&Goal::new(formula)], &others.iter().collect::<Vec<_>>())
}

/// Whether any packet satisfies all of `is` and none of `is_not`.
pub fn ask(is: &[&Goal], is_not: &[&Goal]) -> Answer {
    let positive = is.iter().map(|goal| &goal.is);
    let facts: Vec<&Formula> = positive.chain(is_not.iter().map(|goal| &goal.is_not)).collect();
    let mut search = Search { steps: STEPS_MAX };
    match search.attempt(Known::default(), facts.clone(), &mut Vec::new(), 0) {
        Ok(packet) if facts.iter().all(|fact| packet.satisfies(fact)) => Answer::Packet(Box::new(packet)),
        Err(Failure::Contradiction) => Answer::Never,
        Ok(_) | Err(Failure::Steps) => Answer::Unknown,
    }
}

/// Writes relations of order as patterns of bits, so that the search knows only "has these bits" and "has not".
fn patterns(formula: &Formula) -> Formula {
    match formula {
        Formula::Bits(bits) if !matches!(bits.relation, Relation::Eq | Relation::Ne) => ordered(bits),
        Formula::And(parts) => flat(Join::And, parts),
        Formula::Or(parts) => flat(Join::Or, parts),
        other => other.clone(),
    }
}

fn flat(kind: Join, parts: &[Formula]) -> Formula {
    Formula::joined(
        kind,
        parts
            .iter()
            .flat_map(|part| patterns(part).parts_of(kind))
            .collect(),
    )
}

fn ordered(bits: &Bits) -> Formula {
    let shift = bits.mask.trailing_zeros();
    let (value, max) = (bits.value >> shift, bits.mask >> shift);
    let from = |low: u128| from(bits, shift, low);
    match bits.relation {
        Relation::Ge => from(value),
        Relation::Gt if value == max => Formula::Constant(false),
        Relation::Gt => from(value + 1),
        Relation::Lt => from(value).negated(),
        Relation::Le if value == max => Formula::Constant(true),
        _ => from(value + 1).negated(),
    }
}

/// `field >= low`: the prefix that ends in the last one of `low`, and each prefix that is greater at one zero of it.
fn from(bits: &Bits, shift: u32, low: u128) -> Formula {
    if low == 0 {
        return Formula::Constant(true);
    }
    let max = bits.mask >> shift;
    let width = 128 - max.leading_zeros();
    let last = low.trailing_zeros();
    let prefix = |bit: u32, value: u128| {
        let mask = max >> bit << bit;
        Formula::Bits(Bits {
            symbol: bits.symbol,
            relation: Relation::Eq,
            value: (value & mask) << shift,
            mask: mask << shift,
        })
    };
    let greater = (last + 1..width).filter(|bit| low >> bit & 1 == 0);
    let parts = std::iter::once(prefix(last, low)).chain(greater.map(|bit| prefix(bit, low | 1 << bit)));
    Formula::joined(Join::Or, parts.collect())
}

enum Failure {
    Contradiction,
    Steps,
}

struct Search {
    steps: usize,
}

impl Search {
    fn step(&mut self) -> Result<(), Failure> {
        self.steps = self.steps.checked_sub(1).ok_or(Failure::Steps)?;
        Ok(())
    }

    fn attempt<'f>(
        &mut self,
        mut known: Known,
        facts: Vec<&'f Formula>,
        open: &mut Vec<Vec<&'f Formula>>,
        depth: usize,
    ) -> Result<Packet, Failure> {
        self.assume(&mut known, facts, open)?;
        let Some(choice) = self.narrow(&mut known, open)? else {
            let packed = known.packed(&mut self.steps).ok_or(Failure::Steps)?;
            return packed.map(Packet::packed).map_err(|_| Failure::Contradiction);
        };
        if depth >= TRIES_DEEP {
            return Err(Failure::Steps);
        }
        let alternatives = open.swap_remove(choice);
        for way in alternatives {
            match self.attempt(known.clone(), vec![way], &mut open.clone(), depth + 1) {
                Err(Failure::Contradiction) => {}
                done => return done,
            }
        }
        Err(Failure::Contradiction)
    }

    /// Takes facts for true; alternatives among them are kept for later.
    fn assume<'f>(
        &mut self,
        known: &mut Known,
        mut facts: Vec<&'f Formula>,
        open: &mut Vec<Vec<&'f Formula>>,
    ) -> Result<(), Failure> {
        while let Some(fact) = facts.pop() {
            self.step()?;
            match fact {
                Formula::And(parts) => facts.extend(parts),
                Formula::Or(parts) => open.push(parts.iter().collect()),
                leaf => known.assume(leaf).map_err(|_| Failure::Contradiction)?,
            }
        }
        Ok(())
    }

    /// Strikes out what cannot be, until nothing changes; the alternative with the fewest ways is tried next.
    fn narrow(&mut self, known: &mut Known, open: &mut Vec<Vec<&Formula>>) -> Result<Option<usize>, Failure> {
        loop {
            let mut forced = Vec::new();
            let mut kept = Vec::with_capacity(open.len());
            for ways in open.drain(..) {
                if let Some(mut ways) = self.ways(known, ways)? {
                    match ways.len() {
                        0 => return Err(Failure::Contradiction),
                        1 => forced.extend(ways.pop()),
                        _ => kept.push(ways),
                    }
                }
            }
            *open = kept;
            if forced.is_empty() {
                let fewest = open.iter().enumerate().min_by_key(|(_, ways)| ways.len());
                return Ok(fewest.map(|(at, _)| at));
            }
            self.assume(known, forced, open)?;
        }
    }

    /// The ways that are left, or `None` when one of them is true already.
    fn ways<'f>(
        &mut self,
        known: &Known,
        ways: Vec<&'f Formula>,
    ) -> Result<Option<Vec<&'f Formula>>, Failure> {
        let mut left = Vec::with_capacity(ways.len());
        for way in ways {
            match self.truth(known, way)? {
                Truth::True => return Ok(None),
                Truth::Open => left.push(way),
                Truth::False => {}
            }
        }
        Ok(Some(left))
    }

    fn truth(&mut self, known: &Known, formula: &Formula) -> Result<Truth, Failure> {
        let (parts, decides) = match formula {
            Formula::And(parts) => (parts, Truth::False),
            Formula::Or(parts) => (parts, Truth::True),
            leaf => {
                self.step()?;
                return Ok(known.truth(leaf));
            }
        };
        let mut all = if decides == Truth::False {
            Truth::True
        } else {
            Truth::False
        };
        for part in parts {
            let truth = self.truth(known, part)?;
            if truth == decides {
                return Ok(decides);
            }
            if truth == Truth::Open {
                all = Truth::Open;
            }
        }
        Ok(all)
    }
}

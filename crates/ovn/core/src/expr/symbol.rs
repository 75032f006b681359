//! The names that an expression may use: fields, parts of fields, predicates.

mod table;

use super::annotate::expanded;
use super::formula::Formula;
use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

/// What may be asked of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Equality only, as a kind of frame or a port: OVN has no "not this one" for it.
    Nominal,
    /// Set or not set.
    Boolean,
    /// Every relation, masks, single bits.
    Ordinal,
}

impl Level {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Nominal => "nominal",
            Self::Boolean => "Boolean",
            Self::Ordinal => "ordinal",
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A field of its own.
    Whole,
    /// Bits of another one, from `low` on.
    Part { of: &'static str, low: u32 },
    /// Short for an expression.
    Predicate(&'static str),
}

/// One name of the language.
pub struct Symbol {
    pub name: &'static str,
    /// Bits; 0 for a text (`inport`, `outport`).
    pub width: u32,
    pub level: Level,
    pub meaning: Meaning,
    /// What must be true of a packet for the field to exist in it.
    pub needs: Option<&'static str>,
    id: u16,
    expansion: OnceLock<Formula>,
    need: OnceLock<Formula>,
}

impl Symbol {
    /// Place in the table: equal ids are equal symbols.
    pub(crate) fn id(&self) -> u16 {
        self.id
    }

    pub fn is_text(&self) -> bool {
        self.width == 0
    }

    pub(super) fn is_predicate(&self) -> bool {
        matches!(self.meaning, Meaning::Predicate(_))
    }

    /// The field that holds its bits, and the lowest of them there.
    pub(crate) fn whole(&'static self) -> (&'static Self, u32) {
        match self.meaning {
            Meaning::Part { of, low } => (symbol(of).expect("the table knows its fields"), low),
            _ => (self, 0),
        }
    }

    /// A predicate's expression over whole fields.
    pub(super) fn expansion(&self) -> Option<&Formula> {
        match self.meaning {
            Meaning::Predicate(text) => Some(self.expansion.get_or_init(|| expanded(text))),
            _ => None,
        }
    }

    /// What the field needs, over whole fields.
    pub(super) fn need(&self) -> Option<&Formula> {
        self.needs.map(|text| self.need.get_or_init(|| expanded(text)))
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Symbol {}

/// Finds a name.
pub fn symbol(name: &str) -> Option<&'static Symbol> {
    static BY_NAME: OnceLock<HashMap<&'static str, &'static Symbol, Hasher>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| symbols().iter().map(|s| (s.name, s)).collect());
    by_name.get(name).copied()
}

/// Fixed, so that a pure crate needs no entropy; the names are ours, nobody can make them collide.
type Hasher = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// All names, in the order of the table.
pub fn symbols() -> &'static [Symbol] {
    static TABLE: OnceLock<Vec<Symbol>> = OnceLock::new();
    TABLE.get_or_init(table::build)
}

//! OVN's own form of an expression: comparisons under and and or, negation at the leaves only.

use super::symbol::Symbol;
use super::syntax::Relation;
use std::sync::Arc;

/// An expression without negation above a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    Bits(Bits),
    Text {
        symbol: &'static Symbol,
        equal: bool,
        value: Arc<str>,
    },
    /// `is_chassis_resident`
    Resident {
        port: Arc<str>,
        is: bool,
    },
    /// At least two parts, none of which is an `And`.
    And(Vec<Self>),
    /// At least two parts, none of which is an `Or`.
    Or(Vec<Self>),
    Constant(bool),
}

/// The bits of `mask` in a field against those of `value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    pub symbol: &'static Symbol,
    pub relation: Relation,
    pub value: u128,
    pub mask: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
}

impl Formula {
    /// Two formulas as one, flat where both are of the same kind.
    pub(super) fn join(kind: Join, a: Self, b: Self) -> Self {
        let mut parts = a.parts_of(kind);
        parts.extend(b.parts_of(kind));
        Self::joined(kind, parts)
    }

    /// All of `parts` under one sign; of nothing, what changes nothing.
    pub(super) fn joined(kind: Join, mut parts: Vec<Self>) -> Self {
        match (parts.len(), kind) {
            (0, Join::And) => Self::Constant(true),
            (0, Join::Or) => Self::Constant(false),
            (1, _) => parts.pop().expect("there is one"),
            (_, Join::And) => Self::And(parts),
            (_, Join::Or) => Self::Or(parts),
        }
    }

    pub(super) fn parts_of(self, kind: Join) -> Vec<Self> {
        match (self, kind) {
            (Self::And(parts), Join::And) | (Self::Or(parts), Join::Or) => parts,
            (other, _) => vec![other],
        }
    }

    /// What is true when this is not.
    pub fn negated(&self) -> Self {
        match self {
            Self::Bits(bits) => Self::Bits(Bits {
                relation: bits.relation.inverted(),
                ..bits.clone()
            }),
            Self::Text { symbol, equal, value } => Self::Text {
                symbol,
                equal: !equal,
                value: value.clone(),
            },
            Self::Resident { port, is } => Self::Resident {
                port: port.clone(),
                is: !is,
            },
            Self::And(parts) => Self::Or(parts.iter().map(Self::negated).collect()),
            Self::Or(parts) => Self::And(parts.iter().map(Self::negated).collect()),
            Self::Constant(value) => Self::Constant(!value),
        }
    }

    /// Number of leaves, which is what a match costs roughly in flows.
    pub fn leaves(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::leaves).sum(),
            _ => 1,
        }
    }
}

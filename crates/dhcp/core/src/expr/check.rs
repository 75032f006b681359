//! Which values may meet in a comparison.

use super::error::{ExprError, Span};
use super::node::{Literal, Node, Relation};

/// What a part of an expression yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Test,
    /// Octets meant as text.
    Text,
    Octets,
    Number,
    Address,
}

impl Kind {
    pub(crate) fn article(self) -> &'static str {
        match self {
            Self::Test => "a test (true or false)",
            Self::Text => "a text",
            Self::Octets => "a string of octets",
            Self::Number => "a number",
            Self::Address => "an address",
        }
    }

    /// What two branches have in common.
    pub(crate) fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Octets }
    }
}

/// Whether the two sides of a comparison fit each other.
pub(crate) fn comparison(
    left: (&Node, Kind),
    relation: Relation,
    right: (&Node, Kind),
    span: Span,
) -> Result<(), ExprError> {
    let sign = relation.as_str();
    let kinds = [left.1, right.1];
    if kinds.contains(&Kind::Test) {
        return Err(span
            .error(format!("`{sign}` compares values, not tests"))
            .help("join tests with `and`, `or`"));
    }
    if relation.is_order() {
        return if kinds.contains(&Kind::Text) {
            Err(span
                .error(format!(
                    "`{sign}` orders numbers and addresses; text has no order"
                ))
                .help("compare text with `==`, `!=`, `contains`, `startswith` or `endswith`"))
        } else {
            Ok(())
        };
    }
    if !matches!(relation, Relation::Equal | Relation::NotEqual) {
        return search(kinds, sign, span);
    }
    if let (Node::Field(super::Field::Mac), (Node::Literal(Literal::Text(_)), _))
    | (Node::Literal(Literal::Text(_)), (Node::Field(super::Field::Mac), _)) = (left.0, right)
    {
        return Err(span
            .error("pkt4.mac is six octets and never equals a text")
            .help("write the address without quotes: pkt4.mac == 00:53:00:aa:bb:cc"));
    }
    match (left.1, right.1) {
        (Kind::Text, other @ (Kind::Number | Kind::Address))
        | (other @ (Kind::Number | Kind::Address), Kind::Text) => Err(span
            .error(format!("a text is compared with {}", other.article()))
            .help(match other {
                Kind::Address => {
                    "take the option's octets with .hex, or turn the address to text with addrtotext()"
                }
                _ => "put the number in quotes, or take the option's octets with .hex",
            })),
        _ => Ok(()),
    }
}

fn search(kinds: [Kind; 2], sign: &str, span: Span) -> Result<(), ExprError> {
    match kinds
        .into_iter()
        .find(|kind| matches!(kind, Kind::Number | Kind::Address))
    {
        Some(kind) => Err(span
            .error(format!(
                "`{sign}` looks into text or octets, not into {}",
                kind.article()
            ))
            .help("write the octets in hexadecimal, as 0x0a01, or compare with `==` or `in`")),
        None => Ok(()),
    }
}

//! The words of an expression.

use super::number::Number;
use super::syntax::Relation;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Field, predicate or function.
    Name(String),
    /// In double quotes, escapes resolved.
    Text(String),
    Number(Number),
    /// `$name`
    AddressSet(String),
    /// `@name`
    PortGroup(String),
    /// `^name`: a variable of Chassis_Template_Var.
    Template(String),
    Relation(Relation),
    And,
    Or,
    Not,
    ParenOpen,
    ParenClose,
    BraceOpen,
    BraceClose,
    BracketOpen,
    BracketClose,
    Comma,
    Ellipsis,
    /// A word of OVN's action language, never right in a match.
    Action(&'static str),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Number(number) => write!(f, "`{number}`"),
            Self::AddressSet(name) => write!(f, "`${name}`"),
            Self::PortGroup(name) => write!(f, "`@{name}`"),
            Self::Template(name) => write!(f, "`^{name}`"),
            Self::Relation(relation) => write!(f, "`{relation}`"),
            Self::And => f.write_str("`&&`"),
            Self::Or => f.write_str("`||`"),
            Self::Not => f.write_str("`!`"),
            Self::ParenOpen => f.write_str("`(`"),
            Self::ParenClose => f.write_str("`)`"),
            Self::BraceOpen => f.write_str("`{`"),
            Self::BraceClose => f.write_str("`}`"),
            Self::BracketOpen => f.write_str("`[`"),
            Self::BracketClose => f.write_str("`]`"),
            Self::Comma => f.write_str("`,`"),
            Self::Ellipsis => f.write_str("`..`"),
            Self::Action(word) => write!(f, "`{word}`"),
            Self::End => f.write_str("the end"),
        }
    }
}

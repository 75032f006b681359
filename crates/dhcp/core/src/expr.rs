//! The expression language of client classes and flexible identifiers.
//!
//! The syntax is the one operators know from Kea, so that their expressions keep working, with a few additions
//! (ordering, `in`, `contains`, `startswith`, `endswith`). See `docs/howto/client-classes.md` for the language.
//!
//! ```text
//! text ─► token ─► parse (+ check of kinds) ─► Expr: nodes in one vector ─► eval over a Subject
//!                                               └► print: the canonical text
//! ```
//!
//! An expression is checked as a whole when it is parsed: a value where a truth is wanted, or a text compared
//! with a number, is an [`ExprError`], never a surprise on the packet path. Evaluation cannot fail, does not
//! allocate once its [`Scratch`] has grown, and is bounded: at most [`NODES_MAX`] nodes, nested at most
//! [`DEPTH_MAX`] deep, and every value is cut at [`VALUE_MAX`] octets.

mod check;
mod error;
mod eval;
mod names;
mod node;
mod parse;
mod print;
mod subject;
#[cfg(test)]
mod tests;
mod token;
mod uses;
mod vendor;

pub use error::ExprError;
pub use eval::Scratch;
pub use node::{ClassRef, Field};
pub use subject::Subject;
pub use uses::Uses;

use crate::settings::OptionDef;
use node::Node;

/// Longest expression in octets of text.
pub const TEXT_MAX: usize = 16 * 1024;
/// Most nodes an expression may have.
pub const NODES_MAX: usize = 1024;
/// Deepest nesting of parentheses, calls and `not`.
pub const DEPTH_MAX: usize = 64;
/// Longest value in octets that evaluation yields; longer ones are cut.
pub const VALUE_MAX: usize = 4096;

/// What an expression is to yield.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// True or false: a class test.
    Test,
    /// Octets: a flexible identifier.
    Value,
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// Children stand before their parents; the last node is the root.
    nodes: Vec<Node>,
    wanted: Wanted,
}

impl Expr {
    /// Reads a test with the standard option names.
    ///
    /// # Errors
    /// The first fault, with its place in `text`.
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        Self::parse_with(text, Wanted::Test, &[])
    }

    /// Reads an expression that yields a value, with the standard option names.
    ///
    /// # Errors
    /// The first fault, with its place in `text`.
    pub fn parse_value(text: &str) -> Result<Self, ExprError> {
        Self::parse_with(text, Wanted::Value, &[])
    }

    /// Reads an expression in which the options of `defs` may be named besides the standard ones.
    ///
    /// # Errors
    /// The first fault, with its place in `text`.
    pub fn parse_with(text: &str, wanted: Wanted, defs: &[OptionDef]) -> Result<Self, ExprError> {
        let nodes = parse::parse(text, wanted, &names::Names::new(defs))?;
        Ok(Self { nodes, wanted })
    }

    /// What the expression yields.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Whether the packet passes. A value expression passes when its value is not empty.
    pub fn test<S: Subject + ?Sized>(&self, subject: &S, scratch: &mut Scratch) -> bool {
        match self.wanted {
            Wanted::Test => eval::test(&self.nodes, subject, scratch),
            Wanted::Value => eval::with_value(&self.nodes, subject, scratch, |value| !value.is_empty()),
        }
    }

    /// Appends the value to `out`; numbers and addresses as four octets. A test appends one octet, 1 or 0.
    pub fn value<S: Subject + ?Sized>(&self, subject: &S, scratch: &mut Scratch, out: &mut Vec<u8>) {
        if self.wanted == Wanted::Test {
            out.push(u8::from(eval::test(&self.nodes, subject, scratch)));
            return;
        }
        let append = |value: &[u8]| out.extend_from_slice(value);
        eval::with_value(&self.nodes, subject, scratch, append);
    }

    /// What the answer depends on: packets that agree in all of it get the same answer.
    #[must_use]
    pub fn uses(&self) -> Uses {
        Uses::of(&self.nodes)
    }

    /// Gives every class named in `member(...)` its number, handed to [`Subject::member`] from then on.
    pub fn resolve_classes(&mut self, number: impl Fn(&str) -> Option<u16>) {
        for node in &mut self.nodes {
            if let Node::Member(class) = node {
                class.number = number(&class.name);
            }
        }
    }

    fn root(&self) -> node::Id {
        node::last(&self.nodes)
    }
}

impl std::str::FromStr for Expr {
    type Err = ExprError;

    /// Reads a test with the standard option names.
    fn from_str(text: &str) -> Result<Self, ExprError> {
        Self::parse(text)
    }
}

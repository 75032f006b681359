//! Names that an expression uses and somebody else must know: ports, address sets, port groups.

use super::fault::{Fault, Span};
use super::number::Number;
use super::parser::Match;
use std::sync::Arc;

/// A kind of name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// In `inport`, `outport` and `is_chassis_resident`.
    Port,
    /// `$name`
    AddressSet,
    /// `@name`
    PortGroup,
}

/// A name where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub kind: Kind,
    pub name: String,
    pub span: Span,
}

/// Who knows the names. Members of sets are constants as they stand in the database.
pub trait Names {
    fn address_set(&self, name: &str) -> Option<Vec<Number>>;
    /// Names of the ports in a group.
    fn port_group(&self, name: &str) -> Option<Vec<Arc<str>>>;
    fn has_port(&self, name: &str) -> bool;
    /// All names of a kind, to find the nearest.
    fn all(&self, kind: Kind) -> Vec<String>;
}

/// Knows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn address_set(&self, _: &str) -> Option<Vec<Number>> {
        None
    }

    fn port_group(&self, _: &str) -> Option<Vec<Arc<str>>> {
        None
    }

    fn has_port(&self, _: &str) -> bool {
        false
    }

    fn all(&self, _: Kind) -> Vec<String> {
        Vec::new()
    }
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::AddressSet => "address set",
            Self::PortGroup => "port group",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Port => "",
            Self::AddressSet => "$",
            Self::PortGroup => "@",
        }
    }
}

/// One fault for each name that nobody knows. OVN refuses an unknown set or group when it is too late to tell anybody
/// (the flow is left out with a line in a log), and takes an unknown port for one that never sends.
pub fn unknown(parsed: &Match, names: &dyn Names) -> Vec<Fault> {
    let known = |used: &Use| match used.kind {
        Kind::Port => names.has_port(&used.name),
        Kind::AddressSet => names.address_set(&used.name).is_some(),
        Kind::PortGroup => names.port_group(&used.name).is_some(),
    };
    let missing = parsed.uses.iter().filter(|used| !known(used));
    missing
        .map(|used| {
            let word = used.kind.word();
            let message = format!("there is no {word} `{}{}`", used.kind.mark(), used.name);
            let all = names.all(used.kind);
            Fault::new(&parsed.text, used.span, message).nearest(&used.name, all.iter().map(String::as_str))
        })
        .collect()
}

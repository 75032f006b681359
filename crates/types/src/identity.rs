//! Who a node is, and under which term it acts.

use std::fmt;

/// Name of one node, unique in its cluster: 1 to 64 of `a-z A-Z 0-9 . - _`, as operators write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(String);

/// Why a text is no node id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeIdError {
    Length(usize),
    Character(char),
}

impl fmt::Display for NodeIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(n) => write!(f, "a node id has 1 to 64 characters, not {n}"),
            Self::Character(c) => write!(
                f,
                "a node id has letters, digits, '.', '-' and '_' only, not {c:?}"
            ),
        }
    }
}

impl std::error::Error for NodeIdError {}

impl NodeId {
    /// Checks and wraps `text`.
    ///
    /// # Errors
    /// When the length or a character is outside what is allowed.
    pub fn parse(text: &str) -> Result<Self, NodeIdError> {
        if text.is_empty() || text.len() > 64 {
            return Err(NodeIdError::Length(text.len()));
        }
        match text
            .chars()
            .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
        {
            Some(bad) => Err(NodeIdError::Character(bad)),
            None => Ok(Self(text.to_owned())),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One life of a node's process: random, so that a restarted node is never taken for its former self.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Incarnation(pub u64);

/// The term under which an owner writes: database timeline at grant, then a counter. Ordered, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch {
    pub timeline: u32,
    pub counter: u64,
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.timeline, self.counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_ids_are_host_name_like() {
        assert_eq!(
            NodeId::parse("node4.example.com").map(|n| n.to_string()),
            Ok("node4.example.com".into())
        );
        assert_eq!(NodeId::parse(""), Err(NodeIdError::Length(0)));
        assert_eq!(NodeId::parse("a b"), Err(NodeIdError::Character(' ')));
    }

    #[test]
    fn a_later_timeline_beats_a_higher_counter() {
        assert!(
            Epoch {
                timeline: 2,
                counter: 1
            } > Epoch {
                timeline: 1,
                counter: 99
            }
        );
    }
}

//! Names of locks: `resource:verb:id`.

use std::fmt;

/// The longest name, in octets.
const OCTETS_MAX: usize = 200;

/// 1 to 200 octets without control characters; by custom `resource:verb:id`, such as `switch:update:6f1c`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockName(String);

/// Why a text names no lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockNameError {
    Length(usize),
    Character(char),
}

impl LockName {
    /// Checks and wraps `text`.
    ///
    /// # Errors
    /// When the length or a character is outside what is allowed.
    pub fn parse(text: &str) -> Result<Self, LockNameError> {
        if text.is_empty() || text.len() > OCTETS_MAX {
            return Err(LockNameError::Length(text.len()));
        }
        match text.chars().find(|c| c.is_control()) {
            Some(bad) => Err(LockNameError::Character(bad)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The name of a lock for doing `verb` to the `resource` called `id`.
    ///
    /// # Errors
    /// When the three together are no name.
    pub fn of(resource: &str, verb: &str, id: &str) -> Result<Self, LockNameError> {
        Self::parse(&format!("{resource}:{verb}:{id}"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LockNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(n) => write!(f, "a lock's name has 1 to {OCTETS_MAX} octets, not {n}"),
            Self::Character(c) => write!(f, "a lock's name has no control character, such as {c:?}"),
        }
    }
}

impl std::error::Error for LockNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_resource_verb_and_id() {
        let name = LockName::of("switch", "update", "6f1c").map(|name| name.to_string());
        assert_eq!(name, Ok("switch:update:6f1c".into()));
        assert_eq!(LockName::parse(""), Err(LockNameError::Length(0)));
        assert_eq!(LockName::parse("a\nb"), Err(LockNameError::Character('\n')));
        assert!(LockName::parse(&"ü".repeat(100)).is_ok());
        assert_eq!(LockName::parse(&"ü".repeat(101)), Err(LockNameError::Length(202)));
    }
}

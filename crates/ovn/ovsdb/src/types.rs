//! Types of columns: what a value may be.

mod base;
mod column;

pub use base::{BaseType, Reference};
pub use column::{ColumnType, is_id};
pub(crate) use column::{Members, shown};

use std::fmt;

/// The five kinds of atoms.
///
/// Source: RFC 7047, section 3.2, `<atomic-type>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AtomicType {
    /// Signed, 64 bits.
    Integer,
    /// A double.
    Real,
    /// `true` or `false`.
    Boolean,
    /// Unicode text.
    String,
    /// A row's name.
    Uuid,
}

impl AtomicType {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Integer, Self::Real, Self::Boolean, Self::String, Self::Uuid];

    /// As schemas write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Uuid => "uuid",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether values can be calculated with and compared by size.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Real)
    }
}

impl fmt::Display for AtomicType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

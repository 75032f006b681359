//! Why a meeting came to nothing.

use alloy_primitives::Address;
use std::fmt;
use std::io;

/// No connection came of it.
#[derive(Debug)]
pub(crate) struct Unmet {
    /// Who the other side is, where that is proven.
    pub(crate) id: Option<Address>,
    pub(crate) why: Why,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// There is, or will be, a better connection with the same node.
    Already,
    /// A node reached itself.
    Itself,
    Other(String),
}

impl Unmet {
    pub(crate) fn other(why: impl Into<String>) -> Self {
        let why = Why::Other(why.into());
        Self { id: None, why }
    }

    pub(crate) fn of(id: Address, why: Why) -> Self {
        Self { id: Some(id), why }
    }
}

/// In words that both sides understand.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Already => "already connected",
            Self::Itself => "both ends are the same node",
            Self::Other(why) => why,
        })
    }
}

impl From<io::Error> for Unmet {
    fn from(error: io::Error) -> Self {
        Self::other(crate::words::io(&error))
    }
}

impl From<crate::frame::FrameError> for Unmet {
    fn from(error: crate::frame::FrameError) -> Self {
        Self::other(error.to_string())
    }
}

//! Why a line or a call did not work.

use purlin_fabric::port::HintFault;
use redis::RedisError;
use std::time::Duration;

/// What stands behind [`HintFault::Away`] and [`crate::State::Away`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// The line was known to be down, so nothing was tried.
    #[error("the line is down: {0}")]
    Down(String),
    #[error("{0} is a replica, not a master")]
    Replica(String),
    #[error("no Sentinel knows a master named {0:?}")]
    Unwatched(String),
    #[error("the master has moved to {0}")]
    Moved(String),
    #[error("the slots of the cluster have moved")]
    Resharded,
    #[error("the cluster does not serve: {0}")]
    Cluster(String),
    #[error("the server closed the connection")]
    Closed,
    #[error("{address}: {cause}")]
    At { address: String, cause: Box<Self> },
    #[error("{0}")]
    Redis(#[from] RedisError),
}

impl Trouble {
    pub(crate) fn at(self, address: &impl ToString) -> Self {
        Self::At {
            address: address.to_string(),
            cause: Box::new(self),
        }
    }
}

impl From<Trouble> for HintFault {
    fn from(trouble: Trouble) -> Self {
        Self::Away(Box::new(trouble))
    }
}

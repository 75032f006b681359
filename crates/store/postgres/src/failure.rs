//! Why a call to the database came to nothing.

use std::fmt;

use purlin_fabric::port::Fault;
use purlin_store::{FenceFault, RecordError};
use tokio_postgres::error::SqlState;

/// What went wrong with the call itself; what the data said against it is an answer and not here.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server or the line to it.
    Database(tokio_postgres::Error),
    /// No answer within the time for it.
    Timeout(&'static str),
    /// The commit was not confirmed by the synchronous standby: somebody cancelled the wait.
    Unconfirmed,
    /// No host took the connection; why not, host by host.
    Unreachable(String),
    /// Not asked: the server has not answered lately.
    Resting,
    /// A host that answered and did not let us in.
    Refused {
        at: String,
        cause: tokio_postgres::Error,
    },
    /// No host came to terms with us about TLS; why not, host by host.
    Distrusted(Distrust, String),
    /// It answers, and cannot be used.
    Unusable(String),
    /// It said what it cannot say.
    Nonsense(&'static str),
}

/// What was wrong with TLS. That a handshake was cut short is not here: a server that ends does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// It was demanded, and the server has none.
    NoTls,
    /// The server's certificate is not one that may be believed.
    Certificate,
}

impl Distrust {
    fn of(cause: &tokio_postgres::Error) -> Option<Self> {
        let mut source = std::error::Error::source(cause);
        while let Some(inner) = source {
            if inner.to_string() == "server does not support TLS" {
                return Some(Self::NoTls);
            }
            // An error of I/O shows what it wraps by its text alone.
            if inner.to_string().starts_with("invalid peer certificate") {
                return Some(Self::Certificate);
            }
            source = inner.source();
        }
        None
    }
}

/// Why a start gives up: what to mend before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The password is wrong, or missing.
    Password,
    /// There is no such role, or it may not come from here, or not without TLS.
    User,
    /// There is no such database.
    Database,
    /// The role may not do what has to be done.
    Rights,
    /// TLS was demanded, and the server has none.
    NoTls,
    /// The server's certificate is not one that may be believed.
    Certificate,
    /// Another one, which its text names.
    Other,
}

/// What [`crate::Postgres::connect`] met.
#[must_use]
pub fn obstacle(fault: &Fault) -> Obstacle {
    let Fault::Unusable(cause) = fault else {
        return Obstacle::Other;
    };
    match cause.downcast_ref::<Failure>() {
        Some(Failure::Distrusted(Distrust::NoTls, _)) => Obstacle::NoTls,
        Some(Failure::Distrusted(Distrust::Certificate, _)) => Obstacle::Certificate,
        Some(failure) => failure.code().map_or(Obstacle::Other, |code| match code.code() {
            "28P01" => Obstacle::Password,
            "28000" => Obstacle::User,
            "3D000" => Obstacle::Database,
            "42501" => Obstacle::Rights,
            _ => Obstacle::Other,
        }),
        None => Obstacle::Other,
    }
}

impl Failure {
    /// The same, of the host `at`, when that is what refused us.
    pub(crate) fn refused_at(self, at: String) -> Self {
        match self {
            Self::Database(cause) if cause.code().is_some() => Self::Refused { at, cause },
            other => other,
        }
    }

    /// Whether it is about TLS, so that waiting will not help.
    pub(crate) fn distrust(&self) -> Option<Distrust> {
        match self {
            Self::Database(cause) => Distrust::of(cause),
            Self::Distrusted(distrust, _) => Some(*distrust),
            _ => None,
        }
    }

    /// Whether the same call may be tried again at once: nothing has happened, and it was the neighbours' fault.
    pub(crate) fn is_passing(&self) -> bool {
        self.code().is_some_and(|code| {
            *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
        })
    }

    /// Whether the server understood and declined, so that the connection is still good.
    pub(crate) fn is_answer(&self) -> bool {
        self.code().is_some_and(|code| {
            // Shutting down (57P..), connection trouble (08...), a standby in place of the primary (25006).
            !code.code().starts_with("57P")
                && !code.code().starts_with("08")
                && *code != SqlState::READ_ONLY_SQL_TRANSACTION
        })
    }

    /// Whether it says that the server is not there, for the breaker.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Unreachable(_) | Self::Distrusted(..) => true,
            Self::Database(_) => !self.is_answer(),
            Self::Refused { .. }
            | Self::Unconfirmed
            | Self::Resting
            | Self::Unusable(_)
            | Self::Nonsense(_) => false,
        }
    }

    /// Whether the server may do later what it did not do now: it is away or starting, somebody ended the statement or the
    /// connection, others were in the way, or there was no room.
    pub(crate) fn will_pass(&self) -> bool {
        match self {
            Self::Timeout(_)
            | Self::Unreachable(_)
            | Self::Distrusted(..)
            | Self::Resting
            | Self::Unconfirmed => true,
            Self::Database(cause) | Self::Refused { cause, .. } => cause.code().is_none_or(|code| {
                let code = code.code();
                let classes = ["08", "40", "53", "57"]
                    .iter()
                    .any(|class| code.starts_with(class));
                // Locked by others; a standby in place of the primary.
                classes || ["55P03", "25006"].contains(&code)
            }),
            Self::Unusable(_) | Self::Nonsense(_) => false,
        }
    }

    /// Whether waiting will not help: schema, rights, password, a database that does not exist.
    pub(crate) fn is_unusable(&self) -> bool {
        match self {
            Self::Unusable(_) => true,
            Self::Database(_) | Self::Refused { .. } => self.code().is_some_and(|code| {
                ["42", "28", "3D", "3F", "0A"]
                    .iter()
                    .any(|class| code.code().starts_with(class))
            }),
            _ => false,
        }
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.code() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    fn is_full(&self) -> bool {
        self.code() == Some(&SqlState::DISK_FULL)
    }

    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Database(cause) | Self::Refused { cause, .. } => cause.code(),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(cause) => match cause.as_db_error() {
                Some(said) => write!(f, "PostgreSQL: {} ({})", said.message(), said.code().code()),
                None => write!(f, "PostgreSQL: {cause}"),
            },
            Self::Refused { at, cause } => match cause.as_db_error() {
                Some(said) => write!(
                    f,
                    "PostgreSQL at {at}: {} ({})",
                    said.message(),
                    said.code().code()
                ),
                None => write!(f, "PostgreSQL at {at}: {cause}"),
            },
            Self::Distrusted(_, why) => write!(f, "PostgreSQL is not believed: {why}"),
            Self::Timeout(what) => write!(f, "PostgreSQL did not answer in time: {what}"),
            Self::Unconfirmed => f.write_str("the synchronous standby did not confirm the commit"),
            Self::Unreachable(why) => write!(f, "PostgreSQL is not reachable: {why}"),
            Self::Resting => {
                f.write_str("PostgreSQL has not answered lately; it will be asked again shortly")
            }
            Self::Unusable(why) => f.write_str(why),
            Self::Nonsense(what) => write!(f, "a row in the database makes no sense: {what}"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(cause) => Some(cause),
            _ => None,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::Database(cause)
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        if failure.is_unusable() {
            Self::Unusable(Box::new(failure))
        } else {
            Self::Unknown(Box::new(failure))
        }
    }
}

impl From<Failure> for FenceFault {
    fn from(failure: Failure) -> Self {
        Self::Unknown(Box::new(failure))
    }
}

impl From<Failure> for RecordError {
    fn from(failure: Failure) -> Self {
        if failure.is_full() {
            Self::Full
        } else {
            Self::Failed(Box::new(failure))
        }
    }
}

//! Why the service could not start, change or answer.

use purlin_store::OpenError;
use std::fmt;
use std::io;

/// Why new settings could not be put into effect. What ran before goes on unchanged.
#[derive(Debug)]
pub enum ApplyError {
    /// A listen address could not be bound.
    Listen {
        address: String,
        source: io::Error,
    },
    NoInterface(String),
    NoHardwareAddress(String),
    NoAddress(String),
    /// A socket on an interface could not be opened.
    Interface {
        name: String,
        source: io::Error,
    },
    /// The kernel refused the steering program.
    Steering(io::Error),
    /// A socket could not be watched for packets.
    Watching(io::Error),
    /// A packet thread has ended.
    Stopped,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, .. } => write!(f, "listening on {address} failed"),
            Self::NoInterface(name) => write!(f, "there is no interface {name}"),
            Self::NoHardwareAddress(name) => {
                write!(f, "interface {name} has no Ethernet address to serve by")
            }
            Self::NoAddress(name) => write!(f, "interface {name} has no IPv4 address to answer from"),
            Self::Interface { name, .. } => write!(f, "opening a socket on interface {name} failed"),
            Self::Steering(_) => f.write_str("attaching the steering program failed"),
            Self::Watching(_) => f.write_str("watching a socket for packets failed"),
            Self::Stopped => f.write_str("the packet threads have stopped"),
        }
    }
}

impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::Interface { source, .. } => Some(source),
            Self::Steering(source) | Self::Watching(source) => Some(source),
            Self::NoInterface(_) | Self::NoHardwareAddress(_) | Self::NoAddress(_) | Self::Stopped => None,
        }
    }
}

/// Why the service did not start.
#[derive(Debug)]
pub enum StartError {
    /// A lease journal could not be opened or read.
    Journal {
        name: String,
        source: OpenError,
    },
    /// The restored state could not be written.
    Rewrite {
        name: String,
        source: purlin_store::AppendError,
    },
    Sockets(ApplyError),
    /// The system refused a thread, descriptor or random number.
    System {
        what: &'static str,
        source: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal { name, .. } => write!(f, "opening the lease journal {name} failed"),
            Self::Rewrite { name, .. } => write!(f, "writing the restored leases to journal {name} failed"),
            Self::Sockets(_) => f.write_str("opening the DHCP sockets failed"),
            Self::System { what, .. } => write!(f, "{what} failed"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Journal { source, .. } => Some(source),
            Self::Rewrite { source, .. } => Some(source),
            Self::Sockets(source) => Some(source),
            Self::System { source, .. } => Some(source),
        }
    }
}

/// Why a change to a lease was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlError {
    /// The packet threads have stopped.
    Stopped,
    /// The journal takes no records: the disk is full or has failed.
    NotRecorded,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "the packet threads have stopped",
            Self::NotRecorded => "the lease journal takes no records; nothing was promised",
        })
    }
}

impl std::error::Error for ControlError {}

//! What a library is made from, and what it is asked.

use crate::Clock;
use crate::metadata::MetadataCache;
use purlin_tftp_core::plan::{Ask, Facts, Plan, Scheme};
use std::net::IpAddr;
use std::sync::Arc;

/// What DHCP knows of clients.
pub trait ClientFacts: Send + Sync {
    /// May wait; called on I/O threads only.
    fn facts(&self, client: IpAddr) -> Option<Facts>;
}

/// Nothing is known of anybody.
#[derive(Debug, Clone, Copy)]
pub struct NoFacts;

impl ClientFacts for NoFacts {
    fn facts(&self, _: IpAddr) -> Option<Facts> {
        None
    }
}

/// An [`Ask`] that can be carried to another thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedAsk {
    pub name: Box<str>,
    pub client: IpAddr,
    pub server: Option<IpAddr>,
    pub write: bool,
    pub scheme: Scheme,
}

impl OwnedAsk {
    #[must_use]
    pub fn as_ask(&self) -> Ask<'_> {
        Ask {
            name: &self.name,
            client: self.client,
            server: self.server,
            write: self.write,
            scheme: self.scheme,
        }
    }
}

impl From<&Ask<'_>> for OwnedAsk {
    fn from(ask: &Ask<'_>) -> Self {
        Self {
            name: ask.name.into(),
            client: ask.client,
            server: ask.server,
            write: ask.write,
            scheme: ask.scheme,
        }
    }
}

/// What a library is made from.
pub struct Parts {
    pub plan: Arc<Plan>,
    pub facts: Arc<dyn ClientFacts>,
    /// `CLOCK_BOOTTIME`; read for every request, so it must be cheap.
    pub clock: Clock,
    /// Metadata shared with other nodes.
    pub shared: Option<Arc<dyn MetadataCache>>,
    /// What the kernel is believed to have; all of it outside of tests.
    pub kernel: Kernel,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("kernel", &self.kernel)
            .finish_non_exhaustive()
    }
}

/// Abilities that may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// `openat2`, since Linux 5.6.
    pub openat2: bool,
    pub inotify: bool,
    /// Files without a name, which no crash leaves behind.
    pub tmpfile: bool,
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            openat2: true,
            inotify: true,
            tmpfile: true,
        }
    }
}

/// One file in memory, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedFile {
    /// Path, or the name of a made text.
    pub name: String,
    pub size: u64,
    /// Octets of it in memory.
    pub held: u64,
    /// Who has it right now: transfers, and the memory of names.
    pub holders: usize,
}

//! How the service stands.

use purlin_dhcp_core::HoldView;
use purlin_dhcp_core::settings::AckMode;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Whether a lease can be promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Condition {
    #[default]
    Serving,
    /// The disk is full: nothing that needs a record is answered until there is space again.
    Full,
    /// The journal or a thread failed: nothing is answered; only a new start helps.
    Failed,
}

impl Condition {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Full => "full",
            Self::Failed => "failed",
        }
    }
}

/// The condition of the whole service, watched by whoever decides about the process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// By packet thread.
    threads: Vec<Condition>,
    /// What failed, if something did.
    pub cause: Option<&'static str>,
}

impl Health {
    pub(crate) fn of(threads: u16) -> Self {
        Self {
            threads: vec![Condition::Serving; usize::from(threads)],
            cause: None,
        }
    }

    /// The worst of all threads.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.threads.iter().copied().max().unwrap_or_default()
    }

    /// True when that is news. A failure stays.
    pub(crate) fn note(&mut self, thread: u16, condition: Condition) -> bool {
        let told = &mut self.threads[usize::from(thread)];
        if *told == Condition::Failed || *told == condition {
            return false;
        }
        *told = condition;
        true
    }

    pub(crate) fn fail(&mut self, thread: u16, cause: &'static str) -> bool {
        let news = self.note(thread, Condition::Failed);
        if news {
            self.cause.get_or_insert(cause);
        }
        news
    }
}

/// What runs where.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerStatus {
    pub threads: u16,
    /// Listen addresses as bound.
    pub listen: Vec<SocketAddrV4>,
    pub interfaces: Vec<InterfaceStatus>,
    pub ack: AckMode,
    pub condition: Condition,
    pub cause: Option<&'static str>,
    /// Smallest receive buffer the kernel granted, in bytes; 0 without sockets.
    pub receive_buffer: u32,
    pub journals: Vec<JournalStatus>,
    /// What is held back after a restore from a backup, while it is.
    pub hold: Option<HoldView>,
}

/// A local segment that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceStatus {
    pub name: String,
    pub index: u32,
    pub mac: [u8; 6],
    pub address: Ipv4Addr,
}

/// One packet thread's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalStatus {
    pub condition: Condition,
    /// Frames appended and durable so far.
    pub appended: u64,
    pub durable: u64,
    /// Replies waiting for the difference.
    pub parked: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_thread_speaks_for_all_and_failure_stays() {
        let mut health = Health::of(2);
        assert_eq!(health.condition(), Condition::Serving);
        assert!(health.note(1, Condition::Full));
        assert!(!health.note(1, Condition::Full));
        assert_eq!(health.condition(), Condition::Full);
        assert!(health.fail(0, "the disk"));
        assert!(!health.note(0, Condition::Serving));
        assert_eq!(
            (health.condition(), health.cause),
            (Condition::Failed, Some("the disk"))
        );
    }
}

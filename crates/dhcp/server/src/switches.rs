//! The switches of the packet path, `dhcp.datacenter.performance.optimization`: how work is grouped, not what comes
//! of it. All are on unless the configuration says otherwise; each one that is off only costs, and is there for
//! comparing and for finding out what a fault has to do with.

use purlin_config::{Document, FromNode};
use purlin_netio::BATCH;

const PREFIX: &str = "dhcp.datacenter.performance.optimization";

/// How a packet thread groups its work. Takes effect while running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// Off: every packet's records are a commit of their own.
    pub batch_processing: bool,
    /// No commit and no receive call holds more packets than this; 1 or more, and what is above 64 is 64.
    pub batch_size: u32,
    /// Off: while an address is being checked (`dhcp.conflict_check`), nothing else is read.
    pub async_operations: bool,
    /// Off: options are encoded anew for every answer.
    pub cache_optimization: bool,
    /// Off: one datagram per receive and send call.
    pub network_optimization: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            batch_processing: true,
            batch_size: BATCH as u32,
            async_operations: true,
            cache_optimization: true,
            network_optimization: true,
        }
    }
}

impl Switches {
    /// What a document says. Types and ranges were checked with the rest of `[dhcp]`; what is not there, or was
    /// refused, is on.
    #[must_use]
    pub fn read(document: &Document) -> Self {
        let all = Self::default();
        Self {
            batch_processing: value(document, "batch_processing").unwrap_or(all.batch_processing),
            batch_size: value(document, "batch_size").unwrap_or(all.batch_size),
            async_operations: value(document, "async_operations").unwrap_or(all.async_operations),
            cache_optimization: value(document, "cache_optimization").unwrap_or(all.cache_optimization),
            network_optimization: value(document, "network_optimization").unwrap_or(all.network_optimization),
        }
    }

    /// Packets with records per commit at most.
    pub(crate) fn per_commit(&self) -> usize {
        if self.batch_processing { self.group() } else { 1 }
    }

    /// Datagrams per receive call at most. Without asynchronous operations a packet may be one that nothing else may
    /// be read beside: it is taken alone.
    pub(crate) fn per_receive(&self) -> usize {
        if self.network_optimization && self.async_operations {
            self.group()
        } else {
            1
        }
    }

    fn group(&self) -> usize {
        (self.batch_size as usize).clamp(1, BATCH)
    }
}

fn value<T: FromNode>(document: &Document, key: &str) -> Option<T> {
    T::from_node(document.get(&format!("{PREFIX}.{key}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_config::{Faults, Input};

    fn read(text: &'static str) -> Switches {
        let mut faults = Faults::new();
        Switches::read(&Document::parse([Input::builtin("a.toml", text)], &mut faults))
    }

    #[test]
    fn what_is_not_said_is_on() {
        assert_eq!(read(""), Switches::default());
        let all = Switches::default();
        assert_eq!((all.per_commit(), all.per_receive()), (BATCH, BATCH));
        let off =
            read("[dhcp.datacenter.performance.optimization]\nbatch_processing = false\nbatch_size = 10\n");
        assert_eq!((off.per_commit(), off.per_receive()), (1, 10));
    }

    #[test]
    fn a_batch_is_one_call_at_most_and_one_packet_at_least() {
        let sized = |batch_size| Switches {
            batch_size,
            ..Switches::default()
        };
        for (size, group) in [(1000, BATCH), (7, 7), (1, 1), (0, 1)] {
            assert_eq!(
                (sized(size).per_commit(), sized(size).per_receive()),
                (group, group)
            );
        }
        let single = Switches {
            network_optimization: false,
            ..sized(7)
        };
        assert_eq!((single.per_commit(), single.per_receive()), (7, 1));
    }
}

//! Which logs are wanted: alloy's filter, and how many topics were named in it.

use alloy_rpc_types_eth::Filter;
use purlin_chain_proto::Log;
use std::ops::Deref;

/// A filter as it was sent. alloy's has always four positions of topics.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogFilter {
    filter: Filter,
    /// Topics that were named, wildcards among them: a log with fewer does not match, as in geth.
    positions: usize,
}

impl LogFilter {
    pub(crate) fn new(filter: Filter, positions: usize) -> Self {
        Self { filter, positions }
    }

    pub(crate) fn matches(&self, log: &Log) -> bool {
        let topics = log.topics();
        topics.len() >= self.positions
            && self.filter.matches_address(log.address)
            && self.filter.matches_topics(topics)
    }
}

impl Deref for LogFilter {
    type Target = Filter;

    fn deref(&self) -> &Filter {
        &self.filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_chain_proto::{Address, B256, Bytes};

    #[test]
    fn a_log_has_as_many_topics_as_were_named() {
        let topics = vec![B256::repeat_byte(1), B256::repeat_byte(2)];
        let log = Log::new_unchecked(Address::ZERO, topics, Bytes::new());
        let first = Filter::new().event_signature(B256::repeat_byte(1));
        for (positions, matches) in [(0, true), (1, true), (2, true), (3, false)] {
            let filter = LogFilter::new(first.clone(), positions);
            assert_eq!(filter.matches(&log), matches, "{positions}");
        }
    }
}

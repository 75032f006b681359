//! Numbers and times of simulated blocks: in order, without gaps.

use crate::fault::Fault;
use alloy_rpc_types_eth::simulate::{MAX_SIMULATE_BLOCKS, SimBlock};
use purlin_chain_proto::{Header, U256};

/// Seconds from one block to the next where nothing is said.
const STEP_SECS: u64 = 12;

/// A block to simulate whose number and time are known.
pub(super) struct Ordered {
    pub number: u64,
    pub timestamp: u64,
    pub asked: SimBlock,
}

/// Every block from the one after `base` on; blocks that nobody named are empty.
pub(super) fn ordered(asked: Vec<SimBlock>, base: &Header) -> Result<Vec<Ordered>, Fault> {
    let (mut number, mut timestamp) = (base.number, base.timestamp);
    let mut blocks = Vec::new();
    for block in asked {
        let wanted = block
            .block_number_override()
            .unwrap_or(U256::from(number) + U256::ONE);
        if wanted <= U256::from(number) {
            let message = format!("block numbers must be in order: {wanted} <= {number}");
            return Err(Fault::new(-38_020, message));
        }
        if wanted > U256::from(base.number) + U256::from(MAX_SIMULATE_BLOCKS) {
            return Err(Fault::new(-38_026, "too many blocks"));
        }
        let wanted = wanted.to::<u64>();
        while number + 1 < wanted {
            number += 1;
            timestamp += STEP_SECS;
            let asked = SimBlock::default();
            blocks.push(Ordered {
                number,
                timestamp,
                asked,
            });
        }
        let time = block
            .block_overrides
            .as_ref()
            .and_then(|overrides| overrides.time);
        let time = time.unwrap_or(timestamp.saturating_add(STEP_SECS));
        if time <= timestamp {
            let message = format!("block timestamps must be in order: {time} <= {timestamp}");
            return Err(Fault::new(-38_021, message));
        }
        (number, timestamp) = (wanted, time);
        blocks.push(Ordered {
            number,
            timestamp,
            asked: block,
        });
    }
    Ok(blocks)
}

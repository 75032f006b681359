//! The values behind `txpool_status`, `txpool_content`, `txpool_contentFrom` and `txpool_inspect`.

use super::forge::{Draft, draft, pool, put, transfer, who};
use crate::pool::Status;
use alloy_primitives::{TxKind, U256};

#[test]
fn content_is_by_half_sender_and_nonce() {
    let mut pool = pool();
    for (sender, nonce) in [(1, 0), (1, 1), (1, 5), (2, 3)] {
        put(&mut pool, transfer(sender, nonce)).expect("taken");
    }
    assert_eq!(
        pool.status(),
        Status {
            pending: 2,
            queued: 2
        }
    );
    let content = pool.content();
    let nonces = |half: &std::collections::BTreeMap<_, std::collections::BTreeMap<u64, _>>, n| -> Vec<u64> {
        half.get(&who(n))
            .map(|by| by.keys().copied().collect())
            .unwrap_or_default()
    };
    assert_eq!(
        (nonces(&content.pending, 1), nonces(&content.queued, 1)),
        (vec![0, 1], vec![5])
    );
    assert_eq!(
        (content.pending.contains_key(&who(2)), nonces(&content.queued, 2)),
        (false, vec![3])
    );
    let (pending, queued) = pool.content_from(&who(1));
    assert_eq!((pending.len(), queued[&5].hash()), (2, *transfer(1, 5).tx_hash()));
    assert!(pool.content_from(&who(9)).0.is_empty());
}

#[test]
fn inspection_has_geths_lines() {
    let mut pool = pool();
    put(
        &mut pool,
        Draft {
            value: U256::from(7),
            ..draft(1, 0)
        }
        .sign(),
    )
    .expect("taken");
    let creation = Draft {
        to: TxKind::Create,
        gas: 60_000,
        kind: 0,
        ..draft(0xab, 2)
    };
    put(&mut pool, creation.sign()).expect("taken");
    let seen = pool.inspect();
    assert_eq!(
        seen.pending[&who(1)][&0],
        "0x0101010101010101010101010101010101010101: 7 wei + 21000 gas × 10000000000 wei"
    );
    assert_eq!(
        seen.queued[&who(0xab)][&2],
        "contract creation: 1 wei + 60000 gas × 10000000000 wei"
    );
    assert_eq!((seen.pending.len(), seen.queued.len()), (1, 1));
}

//! Many at once: exactly one wins, and whoever looks sees whole transactions.

use super::super::together;
use super::{ClaimsRig, Node, refused, slot};
use crate::port::{Fence, Later, Refusal, Wish};
use purlin_types::Epoch;
use std::collections::BTreeSet;

const NODES: u64 = 6;

async fn nodes(rig: &dyn ClaimsRig) -> Vec<Node> {
    let mut nodes = Vec::new();
    for n in 0..NODES {
        nodes.push(Node::active(rig, &format!("node-{n}"), 100 + n).await);
    }
    nodes
}

pub(super) async fn one_of_many_contenders_wins(rig: &dyn ClaimsRig) {
    let nodes = nodes(rig).await;
    let key = slot(7);
    for round in 1..=4 {
        let seen = nodes[0].row(&key).await.version;
        let tries = nodes
            .iter()
            .map(|node| Box::pin(node.wish(&key, seen, round > 1)) as Later<'_, _>);
        let won: Vec<Option<Epoch>> = together::all(tries.collect()).await;
        let winners: Vec<usize> = (0..won.len()).filter(|&n| won[n].is_some()).collect();
        let [winner] = winners[..] else {
            panic!("round {round}: won by {winners:?}");
        };
        let row = nodes[0].row(&key).await;
        assert!(nodes[winner].owns(&row), "who was told so owns it: {row:?}");
        assert_eq!(Some(row.version.epoch), won[winner]);
        assert!(row.version.epoch > seen.epoch, "the epoch rises");
    }
}

/// Each node takes the claim a number of times, whatever the others do; every grant is another epoch.
pub(super) async fn every_change_of_owner_counts_once(rig: &dyn ClaimsRig) {
    const EACH: usize = 4;
    let nodes = nodes(rig).await;
    let key = slot(8);
    let races = nodes.iter().map(|node| {
        let key = &key;
        Box::pin(async move {
            let mut won: Vec<Epoch> = Vec::new();
            while won.len() < EACH {
                let seen = node.row(key).await.version;
                won.extend(node.wish(key, seen, true).await);
            }
            assert!(won.is_sorted(), "epochs rise in the order of winning");
            won
        }) as Later<'_, _>
    });
    let all: Vec<Epoch> = together::all(races.collect()).await.concat();
    let distinct: BTreeSet<Epoch> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len(), "no epoch was given twice");
    let last = nodes[0].row(&key).await.version.epoch;
    assert_eq!(distinct.last(), Some(&last));
    assert_eq!(last.counter, all.len() as u64, "each grant counts one");
}

pub(super) async fn one_of_two_namesakes_is_enrolled(rig: &dyn ClaimsRig) {
    for round in 0..4 {
        let name = format!("twin-{round}");
        let one = Node::stranger(rig, &name, 1).await;
        let two = Node::stranger(rig, &name, 2).await;
        let tries: Vec<Later<'_, _>> = vec![Box::pin(one.enrol(None)), Box::pin(two.enrol(None))];
        let outcomes = together::all(tries).await;
        let (winner, loser) = match outcomes[0] {
            Ok(_) => (one, outcomes.into_iter().nth(1)),
            Err(_) => (two, outcomes.into_iter().next()),
        };
        assert_eq!(
            refused(loser.expect("two outcomes")),
            Refusal::DuplicateId {
                live: winner.me.incarnation
            }
        );
        winner.renew().await.expect("it is enrolled");
    }
}

/// Two claims always change together; nobody ever sees one of them changed alone.
pub(super) async fn a_view_is_one_instant(rig: &dyn ClaimsRig) {
    const CHANGES: usize = 24;
    let writer = Node::active(rig, "writer", 1).await;
    let reader = Node::active(rig, "reader", 2).await;
    let keys = [slot(0), slot(4095)];
    let write = async {
        for _ in 0..CHANGES {
            let rows = [writer.row(&keys[0]).await, writer.row(&keys[1]).await];
            let wishes = rows.map(|row| Wish {
                key: row.key,
                seen: row.version,
                by_force: false,
            });
            let won = writer.store.claim(&writer.me, &wishes).await.expect("answers");
            let held: Vec<Fence> = keys
                .iter()
                .zip(won)
                .map(|(key, epoch)| super::fence(key, epoch.expect("nobody else wants it")))
                .collect();
            writer.store.release(&writer.me, &held).await.expect("answers");
        }
    };
    let look = async {
        loop {
            let view = reader.view().await;
            let versions: Vec<_> = view.claims.iter().map(|row| row.version).collect();
            assert!(
                matches!(versions[..], [] | [_, _]) && versions.first() == versions.last(),
                "half a change was seen: {versions:?}"
            );
            together::breathe().await;
        }
    };
    together::during(write, look).await;
    let after = reader.view().await;
    assert_eq!(after.claims.len(), 2);
    assert_eq!(after.claims[0].version.epoch.counter, CHANGES as u64);
}

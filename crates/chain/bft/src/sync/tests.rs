use super::*;
use alloy_primitives::{B256, Bytes};
use purlin_chain_core::consensus::{Certificate, Commit};
use purlin_chain_proto::Block;

fn who(n: u8) -> Address {
    Address::repeat_byte(n)
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn sync(heads: &[(u8, u64)]) -> Sync {
    let mut sync = Sync::default();
    for (peer, head) in heads {
        sync.up(who(*peer));
        sync.head(who(*peer), *head);
    }
    sync
}

fn decided(height: u64) -> Decided {
    let commits = vec![Commit {
        validator: who(1),
        signature: Bytes::new(),
    }];
    Decided {
        block: Block::default(),
        certificate: Certificate {
            height,
            round: 0,
            hash: B256::ZERO,
            commits,
        },
    }
}

#[test]
fn who_is_not_behind_asks_nobody_and_one_question_is_open_at_a_time() {
    assert_eq!(sync(&[(1, 4)]).poll(secs(0), 5, true), None);
    let mut sync = sync(&[(1, 9), (2, 500)]);
    let ask = Ask { from: 5, count: 5 };
    assert_eq!(sync.poll(secs(0), 5, true), Some((who(1), ask)));
    assert_eq!(sync.poll(secs(1), 5, true), None);
}

#[test]
fn a_validator_lets_the_last_height_decide_itself_for_a_moment() {
    let mut validator = sync(&[(1, 5)]);
    assert_eq!(validator.poll(secs(0), 5, true), None);
    assert_eq!(validator.next_timer(5), Some(GRACE));
    assert!(validator.poll(GRACE, 5, true).is_some());
    let mut follower = sync(&[(1, 5)]);
    assert!(follower.poll(secs(0), 5, false).is_some());
}

#[test]
fn a_peer_that_does_not_answer_is_asked_less_and_less() {
    let mut sync = sync(&[(1, 1_000), (2, 9)]);
    let mut asked = BTreeMap::<Address, u32>::new();
    for second in 0..120 {
        if let Some((peer, ask)) = sync.poll(secs(second), 5, false) {
            *asked.entry(peer).or_default() += 1;
            if peer == who(2) {
                assert!(sync.answer(secs(second), peer, vec![decided(ask.from)]));
                assert_eq!(sync.take(5).map(|(from, _)| from), Some(who(2)));
                sync.praise(peer);
            }
        }
    }
    assert_eq!(asked[&who(1)], 1, "the other answers: {asked:?}");
    assert!(asked[&who(2)] > 100);
    sync.down(who(2));
    let mut alone = 0;
    for second in 120..600 {
        alone += u32::from(sync.poll(secs(second), 5, false).is_some());
    }
    assert!((3..20).contains(&alone), "{alone}");
}

#[test]
fn answers_nobody_asked_for_are_not_taken() {
    let mut sync = sync(&[(1, 9), (2, 9)]);
    assert!(!sync.answer(secs(0), who(1), vec![decided(5)]));
    let (peer, _) = sync.poll(secs(0), 5, false).unwrap();
    assert_eq!(peer, who(1));
    assert!(!sync.answer(secs(0), who(2), vec![decided(5)]));
    assert_eq!(sync.take(5), None);
}

#[test]
fn old_blocks_of_a_batch_are_skipped_and_junk_drops_the_rest() {
    let mut sync = sync(&[(1, 9)]);
    sync.poll(secs(0), 5, false).unwrap();
    sync.answer(secs(0), who(1), [4, 5, 6].map(decided).to_vec());
    assert_eq!(sync.take(5).unwrap().1.certificate.height, 5);
    sync.blame(secs(0), who(1));
    assert_eq!(sync.take(6), None);
    assert!(!sync.is_busy());
    assert_eq!(sync.best(), 0, "its word counts for nothing");
}

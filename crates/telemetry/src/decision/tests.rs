//! What both rings keep, and what a look back finds.

use super::*;

fn decision(outcome: Outcome, xid: u32) -> Decision {
    Decision {
        outcome,
        xid,
        ..Decision::default()
    }
}

#[test]
fn a_storm_of_answers_does_not_wash_away_a_refusal() {
    let mut ring = DecisionRing::new(8);
    ring.push(decision(Outcome::Refused, 7));
    for _ in 0..1000 {
        ring.push(decision(Outcome::Answered, 1));
    }
    let found = ring.newest(10, |d| d.xid == 7);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].seq, 0);
}

#[test]
fn a_reader_sees_where_it_missed_something() {
    let mut ring = DecisionRing::new(8);
    for i in 0..20 {
        ring.push(decision(Outcome::Answered, i));
    }
    assert_eq!(ring.oldest_seq(), 12);
    let seen: Vec<u64> = ring.since(3, 100).map(|d| d.seq).collect();
    assert_eq!(seen, (12..20).collect::<Vec<_>>());
    let tail: Vec<u64> = ring.since(18, 100).map(|d| d.seq).collect();
    assert_eq!(tail, [18, 19]);
}

#[test]
fn the_newest_come_oldest_first() {
    let mut ring = DecisionRing::new(4);
    for i in 0..10 {
        ring.push(decision(Outcome::Silent, i));
    }
    let xids: Vec<u32> = ring.newest(3, |_| true).iter().map(|d| d.xid).collect();
    assert_eq!(xids, [7, 8, 9]);
}

#[test]
fn a_record_is_one_cache_line_and_a_bit() {
    assert!(size_of::<Decision>() <= 80);
}

#[test]
fn what_is_left_out_is_counted_beyond_the_first_two() {
    let of = |numbers: &[u8]| {
        let left_out = LeftOut::of(numbers.iter().copied());
        (left_out.count, left_out.first)
    };
    assert_eq!(of(&[]), (0, [0, 0]));
    assert_eq!(of(&[6]), (1, [6, 0]));
    assert_eq!(of(&[6, 15, 42, 43]), (4, [6, 15]));
    assert_eq!(of(&[1; 300]), (255, [1, 1]));
}

/// Every second decision is a refusal.
fn mixed(ring: &mut DecisionRing, many: u64) {
    for i in 0..many {
        let outcome = if i % 2 == 0 {
            Outcome::Refused
        } else {
            Outcome::Answered
        };
        ring.push(decision(outcome, 0));
    }
}

fn seqs(page: &Page) -> Vec<u64> {
    page.found.iter().map(|past| past.decision.seq).collect()
}

#[test]
fn pages_into_the_past_meet_although_the_ring_moves_on() {
    let mut ring = DecisionRing::new(64);
    mixed(&mut ring, 40);
    let (mut bound, mut seen) = (None, Vec::new());
    loop {
        let page = ring.before(bound, 7, |_| true);
        seen.extend(seqs(&page));
        bound = page.found.last().map(|past| past.decision.seq);
        if let Some(overwritten) = page.overwritten {
            assert_eq!(overwritten, 0);
            break;
        }
        mixed(&mut ring, 3);
    }
    assert_eq!(seen, (0..40).rev().collect::<Vec<_>>());
}

#[test]
fn what_was_overwritten_is_counted_where_it_is_missing() {
    let mut ring = DecisionRing::new(8);
    // All but the last 8 are gone, except the refusals 4 and 2: the notable ring holds the last 4.
    mixed(&mut ring, 8);
    for _ in 0..4 {
        ring.push(decision(Outcome::Answered, 0));
    }
    assert_eq!((ring.oldest_seq(), ring.next_seq()), (4, 12));
    let first = ring.before(None, 8, |_| true);
    assert_eq!(seqs(&first), [11, 10, 9, 8, 7, 6, 5, 4]);
    assert_eq!(first.overwritten, None, "more is left");
    let second = ring.before(Some(4), 8, |_| true);
    assert_eq!(seqs(&second), [2, 0]);
    assert_eq!((second.found[0].overwritten, second.found[1].overwritten), (1, 2));
    assert_eq!(second.overwritten, Some(2));
    let part = ring.before(Some(4), 1, |_| true);
    assert_eq!((seqs(&part), part.overwritten), (vec![2], None));
    let rest = ring.before(Some(2), 1, |_| true);
    assert_eq!((seqs(&rest), rest.overwritten), (vec![0], Some(1)));
}

#[test]
fn a_look_back_from_a_place_that_was_overwritten_says_how_much_is_gone() {
    let mut ring = DecisionRing::new(8);
    for _ in 0..100 {
        ring.push(decision(Outcome::Answered, 0));
    }
    let page = ring.before(Some(50), 10, |_| true);
    assert_eq!((page.found.len(), page.overwritten), (0, Some(50)));
    let ahead = ring.before(Some(1000), 2, |_| true);
    assert_eq!((seqs(&ahead), ahead.bound), (vec![99, 98], 100));
}

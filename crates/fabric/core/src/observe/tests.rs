use super::*;

const TIMING: Timing = Timing {
    renew: Duration::from_secs(3),
    ttl: Duration::from_secs(15),
    guard: Duration::from_secs(1),
    mclt: Duration::from_secs(600),
    wall_skew: Duration::from_secs(2),
    heartbeat: Duration::from_secs(5),
    node_timeout: Duration::from_secs(30),
    moves_per_minute: 60,
};

fn secs(n: u64) -> BootTime {
    BootTime(n * 1_000_000_000)
}

/// A look whose answer takes a second.
fn look(observer: &mut Observer<u8>, asked: u64, timeline: u32, seq: u64) -> Look {
    observer.look(
        &TIMING,
        (secs(asked), secs(asked + 1)),
        timeline,
        [(7, Some(seq))],
    )
}

#[test]
fn a_lease_lapses_between_the_first_receipt_and_the_last_sending() {
    let mut observer = Observer::default();
    for asked in [0, 3, 6, 9, 12, 15, 16] {
        look(&mut observer, asked, 1, 5);
    }
    assert!(!observer.lapsed(&7), "received at 1, so 16 s are over at 17");
    look(&mut observer, 17, 1, 5);
    assert!(observer.lapsed(&7));
}

#[test]
fn a_renewal_restarts_the_watch() {
    let mut observer = Observer::default();
    for asked in [0, 3, 6, 9, 12, 15] {
        look(&mut observer, asked, 1, 5);
    }
    for asked in [18, 21, 24] {
        look(&mut observer, asked, 1, 6);
    }
    assert!(!observer.lapsed(&7));
}

#[test]
fn a_failover_restarts_every_watch_and_the_wait_for_free_claims() {
    let mut observer = Observer::default();
    for asked in [0, 3, 6, 9, 12, 15] {
        look(&mut observer, asked, 1, 5);
    }
    assert!(observer.settled(), "the first history has nothing before it");
    assert_eq!(look(&mut observer, 18, 2, 5), Look::NewTimeline { from: 1 });
    assert!(!observer.lapsed(&7) && !observer.settled());
    for asked in [21, 24, 27, 30, 33, 35] {
        look(&mut observer, asked, 2, 5);
    }
    assert!(observer.lapsed(&7) && observer.settled());
}

#[test]
fn an_old_primary_is_not_believed() {
    let mut observer = Observer::default();
    look(&mut observer, 0, 2, 5);
    assert_eq!(look(&mut observer, 3, 1, 9), Look::Behind { known: 2 });
    assert_eq!(observer.timeline(), Some(2));
}

#[test]
fn a_silent_store_is_no_silent_node() {
    let mut observer = Observer::default();
    look(&mut observer, 0, 1, 5);
    look(&mut observer, 30, 1, 5);
    assert!(!observer.lapsed(&7), "nobody could renew either");
}

#[test]
fn a_removed_life_is_watched_from_its_removal() {
    let mut observer = Observer::default();
    for asked in [0, 3, 6, 9, 12] {
        look(&mut observer, asked, 1, 5);
    }
    let gone = |observer: &mut Observer<u8>, asked| {
        observer.look(&TIMING, (secs(asked), secs(asked + 1)), 1, [(7, None)]);
    };
    for asked in [15, 18, 21, 24, 27, 30] {
        gone(&mut observer, asked);
    }
    assert!(
        !observer.lapsed(&7),
        "a last renewal may have preceded the removal"
    );
    gone(&mut observer, 32);
    assert!(observer.lapsed(&7));
}

#[test]
fn a_claim_that_a_failover_overtook_was_not_foreseen() {
    let mut observer = Observer::default();
    look(&mut observer, 0, 1, 5);
    assert!(observer.foresaw(secs(3), 1) && !observer.foresaw(secs(3), 2));
    look(&mut observer, 6, 2, 5);
    assert!(!observer.foresaw(secs(3), 2) && observer.foresaw(secs(8), 2));
}

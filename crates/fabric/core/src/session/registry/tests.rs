use super::*;
use crate::resume::RingLimits;

fn secs(n: u64) -> BootTime {
    BootTime(n * 1_000_000_000)
}

fn sessions() -> Sessions {
    let settings = SessionSettings {
        sessions_max: 300,
        ring: RingLimits {
            events: 4,
            octets: 1000,
        },
        ..SessionSettings::default()
    };
    Sessions::new(settings, NodeId::parse("a").expect("a good name"), secs(0))
}

fn unknown(id: &str) -> SessionError {
    SessionError::Unknown { id: id.into() }
}

#[test]
fn the_registry_hears_at_most_once_in_a_tenth_of_the_ttl() {
    let mut sessions = sessions();
    let row = sessions.register(secs(0), "s", "ops").expect("new");
    assert_eq!((row.node.as_str(), row.generation, row.ttl), ("a", 1, 1800));
    let mut heard = 0;
    for at in 1..=1800 {
        heard += usize::from(sessions.touch(secs(at), "s").expect("here").is_some());
    }
    assert_eq!(heard, 10);
    assert_eq!(sessions.touch(secs(1801), "s"), Ok(None));
    sessions.untold("s");
    assert!(
        sessions.touch(secs(1801), "s").expect("here").is_some(),
        "it may have forgotten"
    );
    assert_eq!(sessions.touch(secs(1801), "t"), Err(unknown("t")));
}

#[test]
fn a_session_lapses_at_its_ttl_and_sweeps_are_counted() {
    let mut sessions = sessions();
    sessions.register(secs(0), "quiet", "ops").expect("new");
    sessions.register(secs(0), "busy", "ops").expect("new");
    for at in [299, 600, 900, 1200, 1500, 1799] {
        sessions.touch(secs(at), "busy").expect("here");
        assert_eq!(sessions.sweep(secs(at)), [], "at {at}");
    }
    assert_eq!(sessions.sweep(secs(1801)), [("quiet".to_owned(), 1)]);
    assert_eq!(sessions.sweep(secs(1802)), [], "not due");
    let figures = sessions.figures();
    assert_eq!((figures.sweeps, figures.swept), (5, 1));
    assert_eq!(sessions.count(secs(1801), Duration::from_secs(60)), (1, 1));
    assert_eq!(sessions.touch(secs(1803), "quiet"), Err(unknown("quiet")));
}

#[test]
fn a_generation_that_was_lost_writes_nothing() {
    let mut sessions = sessions();
    sessions.register(secs(0), "s", "ops").expect("new");
    assert_eq!(sessions.check("s", 1), Ok(()));
    assert_eq!(
        sessions.check("s", 2),
        Err(SessionError::Moved { id: "s".into() })
    );
    sessions.lost("s");
    assert_eq!(sessions.check("s", 1), Err(unknown("s")));
    assert_eq!(sessions.event("s", vec![1]), Err(unknown("s")));
    assert_eq!(sessions.figures().moved_out, 1);
}

#[test]
fn a_moved_session_goes_on_where_the_client_was() {
    let mut from = sessions();
    let mut row = from.register(secs(0), "s", "ops").expect("new");
    for n in 1..=3 {
        assert_eq!(from.event("s", vec![n]), Ok(u64::from(n)));
    }
    from.confirm("s", 1).expect("here");
    let ring = from.ring("s").expect("here");
    row = SessionRow {
        id: "t".into(),
        generation: 2,
        cursor: 1,
        ..row
    };

    let mut to = sessions();
    let ring = EventRing::decode(to.settings().ring, &ring);
    to.arrive(secs(1), &row, ring).expect("new here");
    assert_eq!(to.check("t", 2), Ok(()));
    assert_eq!(to.replay("t", 1), Ok(vec![(2, vec![2]), (3, vec![3])]));
    assert_eq!(to.event("t", vec![4]), Ok(4), "numbers go on");
    assert_eq!(to.touch(secs(500), "t").expect("here").expect("due").cursor, 1);
}

#[test]
fn a_ring_lost_on_the_way_is_an_explicit_gap() {
    let mut to = sessions();
    let row = SessionRow {
        id: "t".into(),
        node: "a".into(),
        user: "ops".into(),
        generation: 2,
        cursor: 5,
        ttl: 0,
    };
    to.arrive(secs(1), &row, None).expect("new here");
    // The client may have had 5 or more: whatever it says, it must not believe that it missed nothing.
    for cursor in [0, 5, 6, 100] {
        assert!(matches!(to.replay("t", cursor), Err(SessionError::Gap(_))));
    }
    let Err(SessionError::Gap(gap)) = to.replay("t", 5) else {
        panic!("no gap");
    };
    assert_eq!(to.replay("t", gap.newest), Ok(vec![]));
    assert_eq!(to.figures().gaps, 5);
}

/// The registry's cursor may be as old as a tenth of the ttl: both rings begin at the same number, and a client that was
/// told of the first gap stands right there.
#[test]
fn a_ring_that_is_lost_twice_is_a_gap_twice() {
    let mut row = SessionRow {
        id: "t".into(),
        node: "a".into(),
        user: "ops".into(),
        generation: 2,
        cursor: 5,
        ttl: 0,
    };
    let mut first = sessions();
    first.arrive(secs(1), &row, None).expect("new here");
    let Err(SessionError::Gap(gap)) = first.replay("t", 5) else {
        panic!("no gap");
    };
    first.event("t", vec![1]).expect("it lives here");
    // It never came to the client, and went with the node.
    row.generation = 3;
    let mut second = sessions();
    second.arrive(secs(2), &row, None).expect("new here");
    assert!(matches!(
        second.replay("t", gap.newest),
        Err(SessionError::Gap(_))
    ));
}

#[test]
fn partings_are_spread_over_the_whole_time() {
    let mut sessions = sessions();
    for n in 0..300 {
        sessions
            .register(secs(0), &n.to_string(), "ops")
            .expect("below the limit");
    }
    let full = sessions.register(secs(0), "one more", "ops");
    assert_eq!(full, Err(SessionError::Full { max: 300 }));
    let partings = sessions.drain(1);
    assert_eq!(partings.len(), 300);
    for second in 0..10 {
        let of = |parting: &&Parting| parting.delay.as_secs() == second;
        let count = partings.iter().filter(of).count();
        assert!((10..60).contains(&count), "{count} close in second {second}");
    }
}

#[test]
fn a_rotated_id_replaces_the_former_one() {
    let mut sessions = sessions();
    let mut row = sessions.register(secs(0), "s", "ops").expect("new");
    sessions.event("s", vec![1]).expect("here");
    row.id = "t".into();
    row.generation = 2;
    sessions.rotated(secs(1), "s", &row).expect("here");
    assert_eq!(sessions.check("s", 1), Err(unknown("s")));
    assert_eq!(sessions.check("t", 2), Ok(()));
    assert_eq!(sessions.replay("t", 0), Ok(vec![(1, vec![1])]));
    assert_eq!(sessions.end("t"), Ok(2));
}

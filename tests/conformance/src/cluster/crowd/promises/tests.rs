use super::*;

const HERE: Ipv4Addr = Ipv4Addr::new(10, 77, 16, 1);
const THERE: Ipv4Addr = Ipv4Addr::new(10, 77, 16, 2);

fn secs(secs: u64) -> Moment {
    Duration::from_secs(secs)
}

fn promised(at: u64, client: u32, address: Ipv4Addr, until: u64) -> Note {
    Note::Promised {
        at: secs(at),
        client,
        address,
        until: secs(until),
    }
}

fn left(at: u64, client: u32) -> Note {
    Note::Left { at: secs(at), client }
}

/// Which pairs of clients had one address at one time.
fn pairs(notes: &[Note]) -> Vec<(u32, u32)> {
    let found = overlaps(notes);
    found.iter().map(|two| (two.0.client, two.1.client)).collect()
}

#[test]
fn one_after_the_other_is_no_overlap() {
    let notes = [
        promised(0, 1, HERE, 20),
        promised(10, 1, HERE, 30),
        promised(30, 2, HERE, 50),
        promised(31, 1, THERE, 60),
    ];
    assert_eq!(pairs(&notes), []);
}

#[test]
fn a_second_client_within_a_promise_is_found() {
    let notes = [promised(0, 1, HERE, 20), promised(19, 2, HERE, 40)];
    assert_eq!(pairs(&notes), [(1, 2)]);
    let said = overlaps(&notes)[0].to_string();
    assert!(
        said.starts_with("10.77.16.1 had two clients for 1.000 s: client 1"),
        "{said}"
    );
}

#[test]
fn a_renewal_prolongs_what_the_second_client_clashes_with() {
    let notes = [
        promised(0, 1, HERE, 20),
        promised(10, 1, HERE, 30),
        promised(25, 2, HERE, 45),
    ];
    assert_eq!(pairs(&notes), [(1, 2)]);
}

#[test]
fn the_longest_stay_counts_and_not_the_latest() {
    let notes = [
        promised(0, 1, HERE, 100),
        promised(100, 2, HERE, 110),
        promised(101, 3, HERE, 105),
        promised(108, 4, HERE, 120),
    ];
    assert_eq!(pairs(&notes), [(2, 3), (2, 4)], "4 s and 2 s");
}

#[test]
fn who_gave_its_address_up_has_no_promise_left() {
    let notes = [promised(0, 1, HERE, 100), left(5, 1), promised(6, 2, HERE, 50)];
    assert_eq!(pairs(&notes), []);
    let too_early = [promised(0, 1, HERE, 100), promised(4, 2, HERE, 50), left(5, 1)];
    assert_eq!(pairs(&too_early), [(1, 2)]);
}

#[test]
fn who_merely_vanished_keeps_its_promise() {
    // Client 1 has another address without having said so before: its first is on record until it got the second.
    let notes = [
        promised(0, 1, HERE, 100),
        promised(5, 2, HERE, 50),
        promised(9, 1, THERE, 80),
    ];
    assert_eq!(pairs(&notes), [(1, 2)]);
}

#[test]
fn a_client_comes_back_after_its_promise_and_finds_another_there() {
    let notes = [
        promised(0, 1, HERE, 10),
        promised(12, 2, HERE, 30),
        promised(20, 1, HERE, 40),
    ];
    assert_eq!(pairs(&notes), [(2, 1)]);
}

#[test]
fn thousands_of_notes_are_judged_and_the_one_fault_is_found() {
    let place = |n: u32| Ipv4Addr::from(0x0a4d_1000 + n % 500);
    let mut notes = Vec::new();
    for round in 0..100_u32 {
        let at = u64::from(round) * 20;
        notes.extend((0..500).map(|n| promised(at, round * 500 + n, place(n), at + 20)));
    }
    assert_eq!(pairs(&notes), []);
    notes.push(promised(1999, 77, place(3), 2100));
    assert_eq!(pairs(&notes), [(99 * 500 + 3, 77)]);
}

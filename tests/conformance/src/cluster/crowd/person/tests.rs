use super::*;

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 100);
const HERE: Ipv4Addr = Ipv4Addr::new(10, 77, 16, 1);
const THERE: Ipv4Addr = Ipv4Addr::new(10, 77, 16, 2);

fn at(millis: u64) -> Moment {
    Duration::from_millis(millis)
}

fn person() -> Person {
    Person::new(7, RELAY, Duration::from_secs(2))
}

fn answer(to: &Step, kind: u8, yiaddr: Ipv4Addr) -> Answer {
    let (message, _) = to.send.expect("it spoke");
    Answer {
        kind,
        xid: message.xid,
        mac: message.mac,
        yiaddr,
        server: Some(RELAY),
        lease_secs: 20,
    }
}

/// A client that was promised an address until 20 s after 0.
fn owner(dice: &mut Dice) -> Person {
    let mut person = person();
    let found = person.wake(at(0), dice);
    let asked = person.hear(&answer(&found, OFFER, HERE), at(0), dice);
    let bound = person.hear(&answer(&asked, ACK, HERE), at(10), dice);
    assert_eq!(
        bound.notes,
        [Note::Promised {
            at: at(10),
            client: 7,
            address: HERE,
            until: at(20_000)
        }]
    );
    person
}

#[test]
fn a_promise_counts_from_the_transmission_that_was_answered() {
    let (mut dice, mut person) = (Dice::new(1), person());
    let found = person.wake(at(0), &mut dice);
    let first = person.hear(&answer(&found, OFFER, HERE), at(100), &mut dice);
    let _second = person.wake(at(600), &mut dice);
    let step = person.hear(&answer(&first, ACK, HERE), at(700), &mut dice);
    let [Note::Promised { until, .. }] = step.notes[..] else {
        panic!("{step:?}")
    };
    assert_eq!(until, at(20_100));
}

#[test]
fn a_refusal_of_an_owner_is_noted_and_one_of_a_stranger_is_not() {
    let mut dice = Dice::new(2);
    let mut person = owner(&mut dice);
    person.begin_last_round(at(1000));
    let asked = person.wake(at(1000), &mut dice);
    let step = person.hear(&answer(&asked, NAK, HERE), at(1001), &mut dice);
    assert!(matches!(step.notes[..], [Note::Refused { .. }]), "{step:?}");
    let mut late = owner(&mut dice);
    late.begin_last_round(at(19_900));
    let asked = late.wake(at(19_900), &mut dice);
    let step = late.hear(&answer(&asked, NAK, HERE), at(20_001), &mut dice);
    assert_eq!(step.notes, [], "its promise had ended");
}

#[test]
fn who_is_offered_another_address_than_its_own_says_so() {
    let mut dice = Dice::new(3);
    let mut person = owner(&mut dice);
    let found = person.begin(Goal::Find, at(5000));
    let step = person.hear(&answer(&found, OFFER, THERE), at(5001), &mut dice);
    assert!(
        matches!(step.notes[..], [Note::Moved { .. }, Note::Left { .. }]),
        "{step:?}"
    );
}

#[test]
fn an_answer_to_something_else_is_nothing() {
    let mut dice = Dice::new(4);
    let mut person = owner(&mut dice);
    let asked = person.begin(Goal::Renew, at(5000));
    let mut stale = answer(&asked, ACK, HERE);
    stale.xid -= 1;
    assert!(person.hear(&stale, at(5001), &mut dice).notes.is_empty());
    assert_eq!(person.waits_since(), Some(at(5000)));
    let served = person.hear(&answer(&asked, ACK, HERE), at(5300), &mut dice);
    assert_eq!(served.served, Some((at(5000), at(5300))));
}

#[test]
fn who_does_not_get_an_answer_asks_all_and_starts_anew_when_the_promise_has_ended() {
    let mut dice = Dice::new(5);
    let mut person = owner(&mut dice);
    assert_eq!(
        person.begin(Goal::Renew, at(19_000)).send.map(|(_, to)| to),
        Some(To::One)
    );
    assert_eq!(
        person.wake(at(19_500), &mut dice).send.map(|(_, to)| to),
        Some(To::All)
    );
    let (message, _) = person.wake(at(20_000), &mut dice).send.expect("it speaks");
    assert_eq!(message.kind, DISCOVER);
}

//! After a restore from a backup: who is believed, who waits, and for how long.

use super::conversation::{Answer, Ask, Link, SERVER, reserve, settings};
use crate::Plan;
use crate::settings::Settings;
use crate::step::Verdict;
use crate::view::LeaseState;
use purlin_dhcp_proto::MessageType;
use std::net::Ipv4Addr;
use std::time::Duration;

fn at(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 1, n)
}

/// Clients 1 to 3 are in the backup, 4 to 6 came later.
fn restored() -> (Link, Settings) {
    let settings = settings(&["10.0.1.0-10.0.1.99"]);
    let mut link = Link::new(&settings);
    (1..=3).for_each(|n| drop(link.dora(n)));
    let backup = link.journal.len();
    (4..=6).for_each(|n| drop(link.dora(n)));
    link.restore(&settings, backup, None);
    (link, settings)
}

fn discover(link: &mut Link, n: u8) -> Answer {
    link.send(&Ask::new(MessageType::Discover, n))
}

fn renew(link: &mut Link, n: u8, address: Ipv4Addr) -> Answer {
    link.send(&Ask::new(MessageType::Request, n).ciaddr(address))
}

/// The offer after a check that heard nobody.
fn checked(link: &mut Link, n: u8) -> Answer {
    let Verdict::Probe(probe) = discover(link, n).verdict else {
        panic!("{n} is not offered anything that is checked: {}", link.reason())
    };
    link.probed(probe.token, false)
}

#[test]
fn a_new_client_waits_until_every_later_lease_has_ended() {
    let (mut link, _) = restored();
    assert_eq!(discover(&mut link, 9).verdict, Verdict::Silent);
    assert_eq!(link.reason(), "held_back");
    let wanted = Ask::new(MessageType::Discover, 9).requested(at(50));
    assert_eq!(link.send(&wanted).verdict, Verdict::Silent);
    let late = Ask::new(MessageType::Request, 9).requested(at(50)).server(SERVER);
    assert_eq!(
        link.send(&late).verdict,
        Verdict::Silent,
        "an offer of the lost service"
    );
    assert_eq!(link.reason(), "quarantine");
    link.pass(3599);
    assert_eq!(discover(&mut link, 9).verdict, Verdict::Silent);
    link.pass(1);
    assert_eq!(link.dora(9).address(), at(3));
}

#[test]
fn who_renews_what_was_granted_later_keeps_it() {
    let (mut link, settings) = restored();
    let ack = renew(&mut link, 4, at(3));
    assert_eq!(
        (ack.kind(), ack.verdict),
        (MessageType::Ack, Verdict::CommitThenReply)
    );
    assert_eq!(link.reason(), "adopted");
    // From now on it is like any other: another one's claim is refused, also after the next start.
    assert_eq!(renew(&mut link, 5, at(3)).kind(), MessageType::Nak);
    link.restart(&settings, usize::MAX, true);
    assert_eq!(renew(&mut link, 4, at(3)).kind(), MessageType::Ack);
    assert_eq!(
        discover(&mut link, 9).verdict,
        Verdict::Silent,
        "the hold outlives a start"
    );
}

#[test]
fn who_only_remembers_an_address_is_neither_confirmed_nor_refused() {
    let (mut link, _) = restored();
    for (client, address) in [(1, at(0)), (4, at(3))] {
        let reboot = Ask::new(MessageType::Request, client).requested(address);
        assert_eq!(link.send(&reboot).verdict, Verdict::Silent);
        assert_eq!(link.reason(), "quarantine");
    }
}

#[test]
fn a_client_of_the_backup_renews_at_once_and_asks_anew_after_a_check() {
    let (mut link, _) = restored();
    assert_eq!(renew(&mut link, 1, at(0)).kind(), MessageType::Ack);
    assert_eq!(checked(&mut link, 2).address(), at(1));
    let select = Ask::new(MessageType::Request, 2).requested(at(1)).server(SERVER);
    assert_eq!(link.send(&select).kind(), MessageType::Ack);
    // What this service has bound itself needs no check.
    assert_eq!(link.dora(2).address(), at(1));
}

#[test]
fn a_backup_lease_that_has_ended_may_be_anothers_by_now() {
    let settings = settings(&["10.0.1.0"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    let backup = link.journal.len();
    link.pass(3700);
    assert_eq!(link.dora(2).address(), at(0));
    link.restore(&settings, backup, None);
    link.pass(1);
    assert_eq!(discover(&mut link, 1).verdict, Verdict::Silent);
    assert_eq!(link.reason(), "held_back");
    assert_eq!(renew(&mut link, 2, at(0)).kind(), MessageType::Ack);
    assert_eq!(renew(&mut link, 1, at(0)).kind(), MessageType::Nak);
}

#[test]
fn an_address_released_after_the_backup_is_found_with_its_new_owner() {
    let settings = settings(&["10.0.1.0"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    let backup = link.journal.len();
    link.pass(100);
    link.send(&Ask::new(MessageType::Release, 1).ciaddr(at(0)));
    assert_eq!(link.dora(2).address(), at(0));
    link.restore(&settings, backup, None);
    // While the backup's lease runs, the new owner is left as it is.
    assert_eq!(renew(&mut link, 2, at(0)).verdict, Verdict::Silent);
    let Verdict::Probe(probe) = discover(&mut link, 1).verdict else {
        panic!("the link is not asked")
    };
    assert!(matches!(
        link.probed(probe.token, true).verdict,
        Verdict::Silent | Verdict::Commit
    ));
    assert_eq!(
        link.engine.lease(&link.now, at(0)).map(|l| l.state),
        Some(LeaseState::Declined)
    );
    assert_eq!(renew(&mut link, 2, at(0)).kind(), MessageType::Ack);
}

#[test]
fn the_new_owner_is_believed_once_the_backup_lease_has_ended() {
    let settings = settings(&["10.0.1.0"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    let backup = link.journal.len();
    link.pass(100);
    link.send(&Ask::new(MessageType::Release, 1).ciaddr(at(0)));
    link.dora(2);
    link.restore(&settings, backup, None);
    // Its own lease runs 100 s longer than the one that it followed.
    link.pass(3550);
    assert_eq!(renew(&mut link, 2, at(0)).kind(), MessageType::Ack);
}

#[test]
fn what_ends_in_doubt_stays_in_doubt() {
    let (mut link, _) = restored();
    assert!(link.engine.release(&link.now, at(0), &mut Vec::new()));
    link.send(&Ask::new(MessageType::Release, 2).ciaddr(at(1)));
    link.send(&Ask::new(MessageType::Decline, 3).requested(at(2)));
    assert_eq!(discover(&mut link, 9).verdict, Verdict::Silent);
    assert_eq!(link.reason(), "held_back");
}

#[test]
fn what_this_service_bound_itself_is_given_on_as_ever() {
    let (mut link, _) = restored();
    renew(&mut link, 1, at(0));
    link.send(&Ask::new(MessageType::Release, 1).ciaddr(at(0)));
    assert_eq!(link.dora(9).address(), at(0));
}

#[test]
fn a_reserved_address_is_offered_after_a_check() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    reserve(&mut settings, 7, "10.0.2.7");
    let mut link = Link::new(&settings);
    link.restore(&settings, 0, None);
    assert_eq!(checked(&mut link, 7).address(), Ipv4Addr::new(10, 0, 2, 7));
}

#[test]
fn a_plan_with_longer_leases_lengthens_the_hold_for_good() {
    let (mut link, short) = restored();
    let mut long = short.clone();
    long.scope.lease_time = Some(Duration::from_secs(7200));
    link.engine.apply(Plan::compile(&long, None), &link.now);
    link.set_clock();
    link.restart(&short, usize::MAX, true);
    link.pass(7199);
    assert_eq!(discover(&mut link, 9).verdict, Verdict::Silent);
    link.pass(1);
    link.dora(9);
}

#[test]
fn the_operator_may_choose_the_length_also_none() {
    let settings = settings(&["10.0.1.0-10.0.1.9"]);
    let mut link = Link::new(&settings);
    link.restore(&settings, 0, None);
    link.restore(&settings, usize::MAX, Some(Duration::ZERO));
    assert_eq!(link.engine.hold(&link.now), None);
    link.restart(&settings, usize::MAX, true);
    link.dora(9);
}

#[test]
fn a_restore_is_news_once() {
    let (mut link, settings) = restored();
    let told = link.engine.hold(&link.now).expect("a hold");
    assert_eq!(told.until, link.now.wall.secs() + 3600);
    link.pass(100);
    link.restart(&settings, usize::MAX, true);
    let recovery = crate::Recovery {
        id: 1,
        taken: link.now.wall,
        longest: Duration::from_secs(3600),
        hold: None,
    };
    assert!(!link.engine.recover(&link.now, &recovery, &mut Vec::new()));
    assert_eq!(link.engine.hold(&link.now), Some(told));
}

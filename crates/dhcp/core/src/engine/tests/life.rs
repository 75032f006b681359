//! Random life against a plain model: what clients believe that they hold.

mod cases;

use super::conversation::{Answer, Ask, Link, SERVER, network, reserve, settings};
use crate::Plan;
use crate::step::Verdict;
use proptest::prelude::*;
use purlin_dhcp_proto::MessageType;
use purlin_types::WallTime;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// One thing that happens on the link.
#[derive(Debug, Clone)]
enum Event {
    Dora(u8),
    Renew(u8),
    Reboot(u8),
    Release(u8),
    Decline(u8),
    Pass(u16),
    Restart {
        lose: u8,
        exact: bool,
    },
    /// Everything after so many 256ths of the journal is lost, and this is a backup.
    Restore(u8),
    /// Another plan: pools cut otherwise, the subnet in another network, gone, a reservation.
    Plan(u8),
    /// The wall clock is set by so many seconds.
    Clock(i32),
}

fn event() -> impl Strategy<Value = Event> {
    let n = 1..20u8;
    prop_oneof![
        6 => n.clone().prop_map(Event::Dora),
        3 => n.clone().prop_map(Event::Renew),
        2 => n.clone().prop_map(Event::Reboot),
        1 => n.clone().prop_map(Event::Release),
        1 => n.prop_map(Event::Decline),
        3 => (0..5000u16).prop_map(Event::Pass),
        1 => (0..3u8, any::<bool>()).prop_map(|(lose, exact)| Event::Restart { lose, exact }),
        1 => any::<u8>().prop_map(Event::Restore),
        2 => (0..PLANS).prop_map(Event::Plan),
        1 => (-5000..100_000i32).prop_map(Event::Clock),
    ]
}

const PLANS: u8 = 6;

/// Plans between which a life may move.
fn plan_of(base: &crate::settings::Settings, number: u8) -> crate::settings::Settings {
    let mut settings = base.clone();
    let subnet = &mut settings.networks[0].subnets[0];
    match number {
        1 => subnet.pools[0].range = "10.0.1.2-10.0.1.5".parse().expect("a range"),
        2 => settings.networks[0].name = "renamed".into(),
        3 => settings.networks = vec![network("other", "10.7.0.0/16", &["10.7.1.0-10.7.1.1"])],
        4 => reserve(&mut settings, 3, "10.0.1.4"),
        5 => {
            // The subnet moves into another network while its old one lives on.
            let moved = settings.networks[0].subnets.remove(0);
            settings.networks[0].subnets = network("main", "10.9.0.0/16", &[]).subnets;
            settings
                .networks
                .push(network("joint", "10.8.0.0/16", &["10.8.1.0-10.8.1.1"]));
            settings.networks[1].subnets.push(moved);
        }
        _ => {}
    }
    settings
}

/// Clients as they see themselves: address and end of the promise, in seconds of boot time.
type Believed = HashMap<u8, (Ipv4Addr, u64)>;

/// The settings in effect and those that the plans vary.
struct Current {
    now: crate::settings::Settings,
    base: crate::settings::Settings,
}

/// Sends one event. Replies that wait for records are delivered only if the records are not lost.
fn play(link: &mut Link, believed: &mut Believed, settings: &mut Current, event: &Event) {
    let ask = |kind, n| Ask::new(kind, n);
    let seconds = link.now.boot.0 / 1_000_000_000;
    let (n, request) = match *event {
        Event::Pass(secs) => return link.pass(u64::from(secs)),
        Event::Plan(number) => {
            settings.now = plan_of(&settings.base, number);
            let plan = Plan::compile(&settings.now, Some(link.engine.plan()));
            return link.engine.apply(plan, &link.now);
        }
        Event::Clock(by) => {
            link.now.wall.0 = link.now.wall.0.saturating_add_signed(i64::from(by) * 1000);
            return link.set_clock();
        }
        Event::Restart { lose, exact } => {
            // What was acknowledged by a commit is on disk; written records behind it may be lost to power.
            let keep = if exact {
                usize::MAX
            } else {
                link.journal.len().saturating_sub(usize::from(lose))
            };
            let keep = keep.max(link.durable_frames);
            link.restart(&settings.now, keep, exact);
            link.durable_frames = link.journal.len();
            return;
        }
        Event::Restore(part) => {
            let keep = link.journal.len() * usize::from(part) / 256;
            return link.restore(&settings.now, keep, None);
        }
        Event::Dora(n) => {
            let offer = offered(link, believed, n);
            if matches!(offer.verdict, Verdict::Silent | Verdict::Commit) {
                return;
            }
            (
                n,
                ask(MessageType::Request, n)
                    .requested(offer.address())
                    .server(SERVER),
            )
        }
        Event::Renew(n) => match believed.get(&n) {
            // A restored service believes a client that renews: only who still has a lease may say that.
            Some((_, until)) if *until <= seconds && link.engine.hold(&link.now).is_some() => return,
            Some((address, _)) => (n, ask(MessageType::Request, n).ciaddr(*address)),
            None => return,
        },
        Event::Reboot(n) => match believed.get(&n) {
            Some((address, _)) => (n, ask(MessageType::Request, n).requested(*address)),
            None => return,
        },
        Event::Release(n) => match believed.remove(&n) {
            Some((address, _)) => (n, ask(MessageType::Release, n).ciaddr(address)),
            None => return,
        },
        Event::Decline(n) => match believed.remove(&n) {
            Some((address, _)) => (n, ask(MessageType::Decline, n).requested(address)),
            None => return,
        },
    };
    let before = link.now.wall;
    let answer = link.send(&request);
    match answer.verdict {
        Verdict::CommitThenReply | Verdict::Commit => link.durable_frames = link.journal.len(),
        _ => {}
    }
    // What was appended in earlier milliseconds counts as durable only if a commit came after it, also where the
    // clock went back in between.
    link.log.durable = if link.durable_frames == link.journal.len() {
        before
    } else {
        link.log.durable.min(before)
    };
    if matches!(answer.verdict, Verdict::CommitThenReply | Verdict::WriteThenReply) {
        believed.insert(n, (answer.address(), seconds + u64::from(answer.lease())));
    } else if answer.verdict == Verdict::Reply && answer.kind() == MessageType::Nak {
        believed.remove(&n);
    }
}

/// The answer to a DISCOVER once the link was asked as often as the engine wanted.
fn offered(link: &mut Link, believed: &Believed, n: u8) -> Answer {
    let mut answer = link.send(&Ask::new(MessageType::Discover, n));
    let now = link.now.boot.0 / 1_000_000_000;
    while let Verdict::Probe(probe) = answer.verdict {
        let uses = |(&other, &(address, until)): (&u8, &(Ipv4Addr, u64))| {
            other != n && address == probe.address && until > now
        };
        let in_use = believed.iter().any(uses);
        answer = link.probed(probe.token, in_use);
    }
    answer
}

fn nobody_shares(believed: &Believed, now: u64) {
    let mut holders: HashMap<Ipv4Addr, u8> = HashMap::new();
    for (&n, &(address, until)) in believed {
        if until > now
            && let Some(other) = holders.insert(address, n)
        {
            panic!("{address} is held by {n} and {other} at once");
        }
    }
}

/// Lets all that happen, and fails when two clients believe that they hold one address.
fn live(lead: bool, events: &[Event]) {
    let mut settings = settings(&["10.0.1.0-10.0.1.7"]);
    if lead {
        settings.ack = crate::settings::AckMode::Lead;
    }
    let mut settings = Current {
        now: settings.clone(),
        base: settings,
    };
    let mut link = Link::new(&settings.now);
    link.log.durable = WallTime(0);
    let mut believed = Believed::new();
    for event in events {
        play(&mut link, &mut believed, &mut settings, event);
        nobody_shares(&believed, link.now.boot.0 / 1_000_000_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Invariant I1 with one node: whatever happens, no address is two clients' at once.
    #[test]
    fn no_two_clients_ever_hold_one_address(lead: bool, events in proptest::collection::vec(event(), 1..120)) {
        live(lead, &events);
    }

    #[test]
    fn no_bytes_stop_the_engine(payload in proptest::collection::vec(any::<u8>(), 0..700), valid: bool) {
        let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.7"]));
        let mut bytes = payload;
        if valid && bytes.len() > 240 {
            bytes[0] = 1;
            bytes[1..3].copy_from_slice(&[1, 6]);
            bytes[236..240].copy_from_slice(&[99, 130, 83, 99]);
        }
        link.send_bytes(&bytes);
    }
}

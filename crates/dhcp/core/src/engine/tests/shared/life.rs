//! Random life of a cluster against what its clients believe: nobody shares an address (I1), what was acknowledged
//! as durable is not lost (I6), and who is known is served by whoever holds its slot, at once.

use super::super::conversation::{Ask, SERVER, settings};
use super::world::{NODES, World};
use crate::settings::AckMode;
use crate::step::Verdict;
use proptest::prelude::*;
use purlin_dhcp_proto::MessageType;
use purlin_types::Slot;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A client comes to a node; the store is written at once or later.
    Dora(u8, usize, bool),
    Renew(u8, usize, bool),
    Reboot(u8, usize),
    Release(u8, usize),
    Decline(u8, usize),
    Flush(usize),
    Pass(u16),
    Crash(usize),
    Start(usize),
    /// The node stops for a while, or goes on.
    Pause(usize),
    /// The store is out of the node's reach, or back in it.
    Cut(usize),
    /// The node claims what it may.
    Take(usize),
    /// One slot goes to another node in order.
    Hand(u8, usize),
    /// The node's wall clock is set by so many seconds.
    Clock(usize, i32),
    /// The standby gets all that is written.
    Copy,
    /// The standby stops following, or goes on.
    Follow,
    /// The standby takes the store's place, without what it has not got.
    FailOver,
}

fn event() -> impl Strategy<Value = Event> {
    use Event::*;
    let (n, at) = (1..14u8, 0..NODES);
    let visit = || (n.clone(), at.clone());
    prop_oneof![
        8 => (n.clone(), at.clone(), any::<bool>()).prop_map(|(n, i, now)| Dora(n, i, now)),
        6 => (n.clone(), at.clone(), any::<bool>()).prop_map(|(n, i, now)| Renew(n, i, now)),
        2 => visit().prop_map(|(n, i)| Reboot(n, i)),
        1 => visit().prop_map(|(n, i)| Release(n, i)),
        1 => visit().prop_map(|(n, i)| Decline(n, i)),
        3 => at.clone().prop_map(Flush),
        3 => (0..30u16).prop_map(Pass),
        3 => (0..5000u16).prop_map(Pass),
        2 => at.clone().prop_map(Crash),
        2 => at.clone().prop_map(Start),
        1 => at.clone().prop_map(Pause),
        1 => at.clone().prop_map(Cut),
        4 => at.clone().prop_map(Take),
        2 => (any::<u8>(), at.clone()).prop_map(|(s, i)| Hand(s, i)),
        1 => (at, -9000..9000i32).prop_map(|(i, by)| Clock(i, by)),
    ]
}

/// The same, over a store with a standby that commits do not wait for.
fn event_with_standby() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => event(),
        4 => Just(Event::Copy),
        1 => Just(Event::Follow),
        1 => Just(Event::FailOver),
    ]
}

/// A client as it sees itself.
#[derive(Debug, Clone, Copy, Default)]
struct Client {
    address: Option<Ipv4Addr>,
    /// End of the promise in true seconds.
    until: u64,
    /// Its latest request and when that was sent; replies to earlier ones it does not look at.
    number: u64,
    sent: u64,
}

struct Life {
    world: World,
    clients: BTreeMap<u8, Client>,
    number: u64,
    lead: bool,
}

impl Life {
    fn new(lead: bool, standby: bool) -> Self {
        let pools = [
            "10.0.1.0-10.0.1.1",
            "10.0.1.64",
            "10.0.1.128-10.0.1.129",
            "10.0.1.192",
        ];
        let mut settings = settings(&pools);
        settings.rapid_commit = false;
        settings.ack = if lead { AckMode::Lead } else { AckMode::Durable };
        let mut world = World::settled(&settings);
        world.standby = standby;
        Self {
            world,
            clients: BTreeMap::new(),
            number: 0,
            lead,
        }
    }

    fn client(&mut self, n: u8) -> &mut Client {
        self.clients.entry(n).or_default()
    }

    /// Sends a request through a node and gives the client what comes back by itself.
    fn ask(&mut self, n: u8, entry: usize, ask: &Ask) -> Option<Verdict> {
        self.number += 1;
        let (number, time) = (self.number, self.world.time);
        let client = self.client(n);
        (client.number, client.sent) = (number, time);
        let answer = self.world.send(entry, ask, number);
        self.deliver();
        answer.map(|a| a.verdict)
    }

    /// What has left the nodes reaches its clients.
    fn deliver(&mut self) {
        for (n, number, answer) in std::mem::take(&mut self.world.delivered) {
            let client = self.client(n);
            if client.number != number {
                continue;
            }
            match answer.kind() {
                MessageType::Ack => {
                    client.address = Some(answer.address());
                    client.until = client.sent + u64::from(answer.lease());
                }
                MessageType::Nak => client.address = None,
                _ => {}
            }
        }
    }

    fn play(&mut self, event: &Event) {
        let ask = |kind, n| Ask::new(kind, n);
        match *event {
            Event::Dora(n, i, now) => self.dora(n, i, now),
            Event::Renew(n, i, now) => self.renew(n, i, now),
            Event::Reboot(n, i) => {
                if let Some(address) = self.client(n).address {
                    self.ask(n, i, &ask(MessageType::Request, n).requested(address));
                }
            }
            Event::Release(n, i) => {
                if let Some(address) = self.client(n).address.take() {
                    self.ask(n, i, &ask(MessageType::Release, n).ciaddr(address));
                }
            }
            Event::Decline(n, i) => {
                if let Some(address) = self.client(n).address.take() {
                    self.ask(n, i, &ask(MessageType::Decline, n).requested(address));
                }
            }
            Event::Flush(i) => self.world.flush(i),
            Event::Pass(secs) => self.world.pass(u64::from(secs)),
            Event::Crash(i) => self.world.crash(i),
            Event::Start(i) => self.world.nodes[i].up = true,
            Event::Pause(i) => self.world.nodes[i].paused ^= true,
            Event::Cut(i) => self.world.nodes[i].cut ^= true,
            Event::Take(i) => {
                for slot in self.world.slots() {
                    self.world.take(i, slot);
                }
            }
            Event::Hand(which, to) => {
                let slots = self.world.slots();
                self.world.hand_over(slots[usize::from(which) % slots.len()], to);
            }
            Event::Clock(i, by) => {
                let off = self.world.nodes[i].off;
                // Sooner or later somebody sets it right.
                self.world.nodes[i].off = if off == 0 { i64::from(by) } else { 0 };
            }
            Event::Copy => self.world.replicate(),
            Event::Follow => self.world.follows ^= true,
            Event::FailOver => self.world.fail_over(),
        }
        self.deliver();
        self.nobody_shares();
    }

    fn dora(&mut self, n: u8, entry: usize, now: bool) {
        self.number += 1;
        let discover = Ask::new(MessageType::Discover, n);
        let offer = self.world.send(entry, &discover, self.number);
        self.world.delivered.clear();
        let Some(offer) = offer.filter(|o| o.verdict == Verdict::Reply) else {
            return;
        };
        // A client that takes an offer up has no address (RFC 2131, figure 5).
        if self.client(n).address != Some(offer.address()) {
            self.client(n).address = None;
        }
        let request = Ask::new(MessageType::Request, n);
        self.ask(n, entry, &request.requested(offer.address()).server(SERVER));
        if now {
            (0..NODES).for_each(|i| self.world.flush(i));
        }
    }

    fn renew(&mut self, n: u8, entry: usize, now: bool) {
        let client = *self.client(n);
        let Some(address) = client.address else { return };
        let time = self.world.time;
        let well = self.world.serves(entry, Slot::of_address(address));
        let verdict = self.ask(n, entry, &Ask::new(MessageType::Request, n).ciaddr(address));
        if time < client.until {
            let promised = matches!(
                verdict,
                Some(Verdict::WriteThenReply | Verdict::CommitThenReply | Verdict::CopyThenReply)
            );
            assert!(
                promised || !well || self.lead || self.world.standby,
                "I6: {n} has {address} and got {verdict:?}"
            );
            assert_ne!(verdict, Some(Verdict::Reply), "{n} has {address} and was refused");
        }
        if now {
            (0..NODES).for_each(|i| self.world.flush(i));
        }
    }

    fn nobody_shares(&self) {
        let mut holders: BTreeMap<Ipv4Addr, u8> = BTreeMap::new();
        for (&n, client) in &self.clients {
            if let Some(address) = client.address.filter(|_| client.until > self.world.time)
                && let Some(other) = holders.insert(address, n)
            {
                panic!("I1: {address} is held by {n} and {other} at once");
            }
        }
    }
}

/// Lets all that happen.
pub(super) fn live(lead: bool, standby: bool, events: &[Event]) {
    let mut life = Life::new(lead, standby);
    for event in events {
        life.play(event);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_two_clients_ever_hold_one_address(lead: bool, events in proptest::collection::vec(event(), 1..150)) {
        live(lead, false, &events);
    }

    #[test]
    fn nor_when_failovers_lose_what_was_committed(
        lead: bool,
        events in proptest::collection::vec(event_with_standby(), 1..150),
    ) {
        live(lead, true, &events);
    }
}

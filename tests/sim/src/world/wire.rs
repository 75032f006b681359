//! The network: packets of clients through relays to nodes, from node to node, and replies.

use super::{Event, Local, World};
use crate::client::{Client, Heard, Outgoing};
use crate::clock::MILLI;
use crate::database::Standby;
use crate::mutation::Mutation;
use crate::node::{Job, Leaving, Node, Way, Wish};
use crate::scene::{RELAY, client_of};
use purlin_dhcp_core::step::Destination;
use purlin_dhcp_proto::{Message, MessageType};
use purlin_types::Slot;
use std::net::{Ipv4Addr, SocketAddrV4};

impl World {
    pub(super) fn wake_client(&mut self, client: u16, timer: u64) {
        let it = &mut self.clients[usize::from(client)];
        if it.timer != timer {
            return;
        }
        let (outgoing, next) = it.wake(self.real, &mut self.random);
        self.call_again(client, next);
        if let Some(outgoing) = outgoing {
            if outgoing.prompt {
                self.forget_twin(client);
            }
            self.send(client, &outgoing);
        }
    }

    /// What a client ends, it ends for the other one of its identifier.
    fn forget_twin(&mut self, client: u16) {
        let identity = self.scene.identity(client);
        let scene = &self.scene;
        let same = |other: &&mut Client| other.number != client && scene.identity(other.number) == identity;
        self.clients.iter_mut().filter(same).for_each(Client::forget);
    }

    /// Whether nobody is served in a slot yet: a rule left out.
    fn is_in_silence(&self, node: usize, address: Ipv4Addr) -> bool {
        let it = &self.nodes[node];
        let until = it.holdings.suspect_until(Slot::of_address(address));
        self.mutation == Some(Mutation::SilentSuccessor)
            && until.is_some_and(|until| it.machine.clock.boot(self.real) < until)
    }

    pub(super) fn call_again(&mut self, client: u16, at: u64) {
        let it = &mut self.clients[usize::from(client)];
        it.timer += 1;
        self.queue.put(at, Event::Client(client, it.timer));
    }

    /// From a client to the nodes that its relay knows, or to one of them.
    fn send(&mut self, client: u16, outgoing: &Outgoing) {
        self.trace
            .say(self.real, || format!("client {client} sends {:?}", outgoing.kind));
        let nodes = self.targets(outgoing.direct, self.clients[usize::from(client)].insistent);
        let source = match outgoing.direct {
            true => Message::parse(&outgoing.payload).map_or(RELAY, |message| message.ciaddr()),
            false => RELAY,
        };
        let source = SocketAddrV4::new(source, if outgoing.direct { 68 } else { 67 });
        for node in nodes {
            if outgoing.prompt {
                self.hand(node, outgoing.payload.clone(), (source, 0), MILLI);
                continue;
            }
            for _ in 0..self.copies() {
                let delay = self.wire_delay();
                self.hand(node, outgoing.payload.clone(), (source, 0), delay);
            }
        }
    }

    /// Where relays send to: the newest life on each machine, alive or not, unless it has left.
    fn targets(&mut self, direct: bool, all: bool) -> Vec<usize> {
        let mut newest: Vec<usize> = Vec::new();
        for node in 0..self.nodes.len() {
            if self.is_shadow(node) {
                continue;
            }
            newest.retain(|&other| self.nodes[other].me.id != self.nodes[node].me.id);
            newest.push(node);
        }
        if all {
            newest.retain(|&node| self.nodes[node].alive || self.scene.repeats);
        }
        if newest.iter().any(|&node| !self.nodes[node].is_over()) {
            newest.retain(|&node| !self.nodes[node].is_over());
        }
        if (all && self.scene.repeats) || (self.scene.fan_out && !direct) {
            newest
        } else {
            vec![*self.random.pick(&newest)]
        }
    }

    /// Whether a node stands beside another of its name that is enrolled: that one has the address.
    pub(super) fn is_shadow(&self, node: usize) -> bool {
        let me = &self.nodes[node].me;
        let newest = &self.databases[self.databases.len() - 1];
        let enrolled = newest.enrolled(&me.id).map(|row| row.incarnation);
        let elder =
            |other: &&Node| other.alive && other.me.id == me.id && Some(other.me.incarnation) == enrolled;
        let elder = self.nodes.iter().find(elder);
        elder.is_some_and(|elder| elder.me.incarnation != me.incarnation)
    }

    /// Whether the newest database has this life of the node.
    pub(super) fn is_enrolled(&self, node: usize) -> bool {
        let me = &self.nodes[node].me;
        let row = self.databases[self.databases.len() - 1].enrolled(&me.id);
        row.is_some_and(|row| row.incarnation == me.incarnation)
    }

    pub(super) fn copies(&mut self) -> u64 {
        if self.calm {
            return 1;
        }
        let lost = self.random.chance(self.scene.loss);
        u64::from(!lost) + u64::from(self.random.chance(self.scene.doubles))
    }

    /// Late packets are late by less than any client waits before it starts over: what a server makes of a request whose
    /// client has long gone on, no protocol without time stamps can mend.
    pub(super) fn wire_delay(&mut self) -> u64 {
        let late = !self.calm && self.random.chance(self.scene.lates);
        MILLI / 10
            + self
                .random
                .below(if late { self.scene.pace * 2 / 5 } else { 4 * MILLI })
    }

    fn hand(&mut self, node: usize, payload: Vec<u8>, (source, attempt): (SocketAddrV4, u8), delay: u64) {
        let sent = self.real;
        let packet = Local::Packet {
            payload,
            source,
            attempt,
            sent,
        };
        self.later(node, delay, packet);
    }

    /// At a node's socket. What came while the node stood still is in the socket's buffer and read then.
    pub(super) fn packet(
        &mut self,
        node: usize,
        payload: Vec<u8>,
        (source, attempt): (SocketAddrV4, u8),
        sent: u64,
    ) {
        if self.real > sent + self.scene.pace * 4 / 5 {
            return;
        }
        self.give(
            node,
            Job::Packet {
                payload,
                source,
                attempt,
            },
        );
    }

    /// From node to node.
    pub(super) fn forward(
        &mut self,
        node: usize,
        slot: Slot,
        (payload, source, attempt): (Vec<u8>, SocketAddrV4, u8),
    ) {
        let Some(to) = self.home_of(node, slot) else {
            return;
        };
        for _ in 0..self.copies() {
            let delay = self.wire_delay() / 2;
            self.hand(to, payload.clone(), (source, attempt.max(1)), delay);
        }
    }

    /// Asks who holds an address to end its lease.
    pub(super) fn ask_home(&mut self, node: usize, wish: &Wish) {
        let Some(to) = self.home_of(node, Slot::of_address(wish.address)) else {
            return;
        };
        for _ in 0..self.copies() {
            let delay = self.wire_delay() / 2;
            self.later(to, delay, Local::Job(Job::MakeWay(wish.clone())));
        }
    }

    /// The life that has a slot by what a node knows, if it can be reached from there.
    fn home_of(&self, node: usize, slot: Slot) -> Option<usize> {
        let home = self.nodes[node].holdings.home(slot)?;
        let cut = |node: usize, way| self.nodes[node].machine.is_cut(way, self.real);
        let mut lives = (0..self.nodes.len()).rev();
        let to = lives.find(|&other| self.nodes[other].me.id == *home && !self.is_shadow(other))?;
        let link = self
            .links
            .get(&(node, to))
            .is_none_or(|until| *until <= self.real);
        let open =
            !cut(node, Way::Peers) && !cut(node, Way::Out) && !cut(to, Way::Peers) && !cut(to, Way::In);
        (link && open).then_some(to)
    }

    /// A reply goes out.
    pub(super) fn leave(&mut self, node: usize, leaving: &Leaving) {
        let Ok(message) = Message::parse(&leaving.payload) else {
            return;
        };
        let client = message.mac().map_or(u16::MAX, |mac| client_of(mac.0));
        let known = usize::from(client) < self.clients.len();
        if !known || !matches!(leaving.to, Destination::Udp(_)) {
            return;
        }
        if self.nodes[node].machine.is_cut(Way::Out, self.real) || self.is_in_silence(node, message.yiaddr())
        {
            return;
        }
        self.trace.say(self.real, || {
            let kind = message.message_type();
            format!(
                "node {node} answers client {client}: {kind:?} {}",
                message.yiaddr()
            )
        });
        for _ in 0..self.copies() {
            let delay = self.wire_delay();
            self.queue
                .put(self.real + delay, Event::Hear(client, leaving.payload.clone()));
        }
    }

    /// A client gets an answer, and believes it.
    pub(super) fn hear(&mut self, client: u16, payload: &[u8]) {
        let Ok(message) = Message::parse(payload) else {
            return;
        };
        let it = &mut self.clients[usize::from(client)];
        let (heard, next) = it.hear(self.real, &message, &mut self.random);
        match heard {
            Heard::Nothing => {}
            Heard::Promised(promise) => {
                self.tally.promises += 1;
                self.trace
                    .mark(self.real ^ u64::from(promise.address.to_bits()) << 32 ^ u64::from(client));
                self.trace.say(self.real, || {
                    let left = promise.until.saturating_sub(self.real) as f64 / 1e9;
                    format!("client {client} has {} for {left:.3} s", promise.address)
                });
                self.check.promised(self.real, client, promise, &self.clients);
            }
            Heard::Refused(former) => {
                self.tally.refusals += 1;
                self.trace.say(self.real, || {
                    format!("client {client} is refused, having {former:?}")
                });
                self.check.refused(self.real, client, former);
            }
        }
        if let Some(next) = next {
            self.call_again(client, next);
        }
    }

    /// Right before a reply leaves: does it promise more than the rules allow (I5)?
    pub(super) fn check_promise(&mut self, node: usize, leaving: &Leaving) {
        let Ok(message) = Message::parse(&leaving.payload) else {
            return;
        };
        let client = message
            .mac()
            .map_or(usize::MAX, |mac| usize::from(client_of(mac.0)));
        let believed = self
            .clients
            .get(client)
            .is_some_and(|client| client.awaits(message.xid()));
        if message.message_type() == Some(MessageType::Ack) && believed {
            // Where commits wait for the standby, what an old primary has taken in is not acknowledged unless the new
            // one has it too.
            let first = match self.scene.standby {
                Standby::Sync => self.databases.len() - 1,
                Standby::None | Standby::Async => 0,
            };
            self.check.leaves(
                (self.real, leaving.decided),
                node,
                &message,
                &self.databases[first..],
            );
        }
    }
}

//! The network: packets of clients through relays to nodes, from node to node, and replies.

use super::{Event, Local, World};
use crate::client::{Heard, Outgoing};
use crate::clock::MILLI;
use crate::database::Standby;
use crate::node::{Job, Leaving, Node};
use crate::scene::{RELAY, client_of};
use purlin_dhcp_core::step::Destination;
use purlin_dhcp_proto::{Message, MessageType};
use purlin_fabric::NotReady;
use purlin_types::Slot;
use std::net::SocketAddrV4;

impl World {
    pub(super) fn wake_client(&mut self, client: u16, timer: u64) {
        let it = &mut self.clients[usize::from(client)];
        if it.timer != timer {
            return;
        }
        let (outgoing, next) = it.wake(self.real, &mut self.random);
        self.call_again(client, next);
        if let Some(outgoing) = outgoing {
            self.send(client, &outgoing);
        }
    }

    fn call_again(&mut self, client: u16, at: u64) {
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
        let gone = |node: &Node| {
            let readiness = node.coordinator.readiness();
            matches!(readiness, Err(NotReady::Left | NotReady::Superseded))
        };
        if newest.iter().any(|&node| !gone(&self.nodes[node])) {
            newest.retain(|&node| !gone(&self.nodes[node]));
        }
        if (all && self.scene.repeats) || (self.scene.fan_out && !direct) {
            newest
        } else {
            vec![*self.random.pick(&newest)]
        }
    }

    /// Whether a node stands beside another of its name: that one has the address.
    pub(super) fn is_shadow(&self, node: usize) -> bool {
        self.nodes[node]
            .twin_of
            .is_some_and(|elder| self.nodes[elder].alive)
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
        let Some(home) = self.nodes[node].holdings.home(slot).cloned() else {
            return;
        };
        let cut = |node: usize| self.nodes[node].machine.alone_until > self.real;
        let mut lives = (0..self.nodes.len()).rev();
        let to = lives.find(|&other| self.nodes[other].me.id == home && !self.is_shadow(other));
        let Some(to) =
            to.filter(|&to| !cut(to) && !cut(node) && self.nodes[to].machine.deaf_until <= self.real)
        else {
            return;
        };
        for _ in 0..self.copies() {
            let delay = self.wire_delay() / 2;
            self.hand(to, payload.clone(), (source, attempt.max(1)), delay);
        }
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

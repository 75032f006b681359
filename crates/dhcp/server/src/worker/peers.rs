//! What other nodes send: packets to decide about, replies to deliver, wishes.

use super::Worker;
use super::receive::{DATAGRAMS_PER_TURN, Given};
use crate::handover::Link;
use crate::share::{Opened, Packet, Said, relayed};
use purlin_netio::Datagram;
use std::net::SocketAddrV4;

impl Worker {
    /// Reads what waits at the port for other nodes: as many as from a port for clients.
    pub(super) fn hear_peers(&mut self) {
        let Some(mut ear) = self.own.as_mut().and_then(|own| own.ear.take()) else {
            return;
        };
        let (most, mut taken) = (self.switches.per_receive(), 0);
        while taken < DATAGRAMS_PER_TURN && self.parked.has_room() && !self.waits_for_check() {
            let Some(own) = &self.own else { break };
            // An error here is an ICMP report about an earlier packet; the next turn reads on.
            let Ok(count) = ear.receive_up_to(own.carrier.socket(), most) else {
                break;
            };
            self.counters.batch(count);
            for at in 0..count {
                self.hear(&ear.get(at));
            }
            self.settle();
            taken += count;
            if count < most {
                break;
            }
        }
        if let Some(own) = &mut self.own {
            own.ear = Some(ear);
        }
    }

    fn hear(&mut self, datagram: &Datagram<'_>) {
        let Some(own) = &mut self.own else { return };
        let said = match own.carrier.open(datagram.source, datagram.payload) {
            Some(Said::Carried(said)) => said,
            Some(Said::Wish(wish)) => return own.wishes.push(wish),
            None => {
                self.counters.strangers += 1;
                return;
            }
        };
        match said {
            Opened::Reply { segment, payload } => self.deliver(segment, payload),
            Opened::Packets(packets) => packets.for_each(|packet| self.hear_packet(&packet)),
        }
    }

    fn hear_packet(&mut self, packet: &Packet<'_>) {
        if self.batch.is_full() {
            // A datagram brings several.
            self.settle();
        }
        match packet.link {
            None => self.decide_for_peer(packet.payload, packet.source, packet.attempt, None),
            Some(link) => self.decide_for_segment(packet.payload, link, packet.attempt),
        }
    }

    /// On what another node heard on a segment: as from a relay there.
    fn decide_for_segment(&mut self, payload: &[u8], link: Link, attempt: u8) {
        if self.is_on(link.segment) {
            // Heard here too.
            return;
        }
        let Some(own) = &mut self.own else { return };
        own.links.learn(link);
        let mut room = std::mem::take(&mut own.room);
        let (payload, relay) = relayed(payload, link.segment, &mut room);
        self.decide_for_peer(payload, relay, attempt, Some(link));
        if let Some(own) = &mut self.own {
            own.room = room;
        }
    }

    fn decide_for_peer(&mut self, payload: &[u8], source: SocketAddrV4, attempt: u8, way: Option<Link>) {
        let Some(port) = self.any_port() else { return };
        self.decide_given(&Given {
            port,
            payload,
            source,
            local: None,
            interface: None,
            broadcast: false,
            attempt,
            way,
        });
    }

    /// Sends what was prepared for other nodes.
    pub(super) fn carry_out(&mut self) {
        let Some(own) = &mut self.own else { return };
        let left = own.carrier.leave(&mut self.outgoing);
        self.counters.forwarded += left.sent;
        self.counters.forwarded_lost += left.lost;
    }
}

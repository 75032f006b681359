//! Who is connected: one connection for each other node.
//!
//! Two nodes that dial each other at the same time make two connections, and both must keep the same one:
//!
//! - of two that different sides dialled, the one that the node with the lower address dialled;
//! - of two that the same side dialled, that side decides, and keeps the older: the other side follows;
//! - a node that has started anew has lost all its connections, whatever this one still believes.

use crate::hello::Hello;
use crate::line::Line;
use crate::unmet::Why;
use crate::{Direction, PeerInfo};
use alloy_primitives::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The connections that are up, and the nodes that are being met by dialling.
#[derive(Debug)]
pub(crate) struct Table {
    own: (Address, u64),
    seats: BTreeMap<Address, Arc<Line>>,
    calling: BTreeSet<Address>,
    pub(crate) limit: usize,
}

/// Somebody who has proven who he is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) hello: &'a Hello,
    pub(crate) direction: Direction,
    /// Never refused for the limit.
    pub(crate) exempt: bool,
}

impl Table {
    pub(crate) fn new(own: Address, instance: u64, limit: usize) -> Self {
        Self {
            own: (own, instance),
            seats: BTreeMap::new(),
            calling: BTreeSet::new(),
            limit,
        }
    }

    /// Whether there is a place for somebody.
    pub(crate) fn judge(&self, candidate: Candidate<'_>) -> Result<(), Why> {
        let Candidate {
            hello,
            direction,
            exempt,
        } = candidate;
        if hello.id == self.own.0 {
            return Err(self.double(hello));
        }
        if let Some(line) = self.seats.get(&hello.id) {
            return if self.replaces(line, hello, direction) {
                Ok(())
            } else {
                Err(Why::Already)
            };
        }
        if !exempt && !self.has_room() {
            let limit = self.limit;
            return Err(Why::Other(format!(
                "no place: the limit of {limit} peers is reached"
            )));
        }
        Ok(())
    }

    fn double(&self, hello: &Hello) -> Why {
        if hello.instance == self.own.1 {
            return Why::Itself;
        }
        let id = hello.id;
        Why::Other(format!(
            "two nodes run with the same key, that of {id:#x}: stop one of them"
        ))
    }

    fn replaces(&self, old: &Line, new: &Hello, direction: Direction) -> bool {
        if old.hello.instance != new.instance {
            return true;
        }
        if old.direction == direction {
            return direction == Direction::Inbound;
        }
        (direction == Direction::Outbound) == (self.own.0 < new.id)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.seats.values().filter(|line| !line.precious).count() < self.limit
    }

    /// Notes that a node is being met by dialling. `false`: it is already, through another of its addresses.
    pub(crate) fn call(&mut self, id: Address) -> bool {
        self.calling.insert(id)
    }

    pub(crate) fn called(&mut self, id: Address) {
        self.calling.remove(&id);
    }

    /// Seats a connection; gives the one that it replaces.
    pub(crate) fn seat(&mut self, line: &Arc<Line>) -> Option<Arc<Line>> {
        self.seats.insert(line.id(), Arc::clone(line))
    }

    /// `false`: another connection is in this one's place.
    pub(crate) fn leave(&mut self, line: &Arc<Line>) -> bool {
        let here = self.get(line.id()).is_some_and(|one| Arc::ptr_eq(one, line));
        if here {
            self.seats.remove(&line.id());
        }
        here
    }

    pub(crate) fn get(&self, id: Address) -> Option<&Arc<Line>> {
        self.seats.get(&id)
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &Arc<Line>> {
        self.seats.values()
    }

    pub(crate) fn list(&self) -> Vec<PeerInfo> {
        self.lines().map(|line| line.info()).collect()
    }

    /// Those over the limit, of the ones that `exempt` does not spare: the youngest.
    pub(crate) fn surplus(&self, exempt: impl Fn(Address) -> bool) -> Vec<Arc<Line>> {
        let counted: Vec<_> = self.lines().filter(|line| !line.precious).collect();
        let over = counted.len().saturating_sub(self.limit);
        let mut strangers: Vec<_> = counted.into_iter().filter(|line| !exempt(line.id())).collect();
        strangers.sort_by_key(|line| std::cmp::Reverse(line.since));
        strangers.into_iter().take(over).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Direction::{Inbound, Outbound};
    use super::*;
    use crate::Settings;

    const OWN: Address = Address::repeat_byte(5);

    fn hello(id: u8, instance: u64) -> Hello {
        Hello {
            id: Address::repeat_byte(id),
            instance,
            port: None,
            role: 0,
            name: String::new(),
        }
    }

    fn line(id: u8, instance: u64, direction: Direction) -> Arc<Line> {
        let address = "127.0.0.1:1".parse().unwrap();
        Arc::new(Line::new(
            hello(id, instance),
            direction,
            address,
            false,
            &Settings::default(),
        ))
    }

    fn judged(old: Option<(u8, u64, Direction)>, new: (u8, u64, Direction)) -> Result<(), Why> {
        let mut table = Table::new(OWN, 77, 10);
        if let Some((id, instance, direction)) = old {
            table.seat(&line(id, instance, direction));
        }
        let (id, instance, direction) = new;
        table.judge(Candidate {
            hello: &hello(id, instance),
            direction,
            exempt: false,
        })
    }

    #[test]
    fn of_two_connections_both_sides_keep_the_one_of_the_lower_address() {
        // 9 is above this node, 1 below: what this node dialled wins against 9, what 1 dialled against this node.
        for (id, old, new, kept) in [
            (9, Inbound, Outbound, Ok(())),
            (9, Outbound, Inbound, Err(Why::Already)),
            (1, Inbound, Outbound, Err(Why::Already)),
            (1, Outbound, Inbound, Ok(())),
        ] {
            assert_eq!(judged(Some((id, 1, old)), (id, 1, new)), kept, "{id} {old} {new}");
        }
    }

    #[test]
    fn of_two_that_one_side_dialled_that_side_decides() {
        assert_eq!(
            judged(Some((9, 1, Outbound)), (9, 1, Outbound)),
            Err(Why::Already)
        );
        assert_eq!(judged(Some((9, 1, Inbound)), (9, 1, Inbound)), Ok(()));
    }

    #[test]
    fn a_node_that_started_anew_replaces_its_former_self() {
        for (id, old, new) in [
            (9, Outbound, Inbound),
            (1, Inbound, Outbound),
            (9, Outbound, Outbound),
        ] {
            assert_eq!(
                judged(Some((id, 1, old)), (id, 2, new)),
                Ok(()),
                "{id} {old} {new}"
            );
        }
    }

    #[test]
    fn a_node_is_not_its_own_peer_and_a_second_one_with_its_key_is_named() {
        assert_eq!(judged(None, (5, 77, Outbound)), Err(Why::Itself));
        let Err(Why::Other(why)) = judged(None, (5, 78, Inbound)) else {
            panic!("taken");
        };
        assert!(why.contains("same key"), "{why}");
    }

    #[test]
    fn the_limit_spares_who_is_exempt() {
        let mut table = Table::new(OWN, 77, 1);
        table.seat(&line(1, 1, Inbound));
        let (new, known) = (hello(2, 1), hello(1, 1));
        let judge = |hello, exempt| {
            let direction = Inbound;
            table
                .judge(Candidate {
                    hello,
                    direction,
                    exempt,
                })
                .is_ok()
        };
        assert!(!judge(&new, false) && judge(&new, true));
        assert!(
            judge(&known, false),
            "who replaces his own connection needs no new place"
        );
        table.seat(&line(2, 1, Inbound));
        table.seat(&line(3, 1, Inbound));
        let surplus = table.surplus(|id| id == Address::repeat_byte(3));
        let ids: Vec<_> = surplus.iter().map(|line| line.id()).collect();
        assert_eq!(
            ids,
            [Address::repeat_byte(2), Address::repeat_byte(1)],
            "the youngest first, not the exempt"
        );
    }

    #[test]
    fn only_the_connection_that_sits_there_leaves() {
        let mut table = Table::new(OWN, 77, 1);
        let (old, new) = (line(1, 1, Inbound), line(1, 2, Inbound));
        table.seat(&old);
        assert!(table.seat(&new).is_some());
        assert!(!table.leave(&old));
        assert!(table.leave(&new) && !table.leave(&new));
    }
}

//! Three nodes, their clocks, and what they have not yet written.

mod writing;

use writing::{Copying, Pending};

use super::super::conversation::{Answer, Ask, RELAY, SERVER};
use super::store::{Claim, Store};
use crate::settings::Settings;
use crate::step::{Arrival, Reply, Verdict};
use crate::{Engine, Plan, SteadyClock, Takeover};
use purlin_dhcp_proto::MessageType;
use purlin_types::{BootTime, Epoch, Now, Slot, Tenure, WallTime};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

/// How long a node may decide after it has renewed its lease of the store, and how long others wait, in seconds.
const VALID: u64 = 14;
const WAIT: u64 = 16;
pub(super) const NODES: usize = 3;

pub(super) struct Node {
    pub(super) engine: Engine,
    clock: SteadyClock,
    /// How far its wall clock is off, in seconds.
    pub(super) off: i64,
    pub(super) up: bool,
    /// It does nothing at all, and does not know it.
    pub(super) paused: bool,
    /// It reaches clients and not the store.
    pub(super) cut: bool,
    renewed: u64,
    pending: VecDeque<Pending>,
    /// What was written when, and how far the standby must be to have it; `None` when a failover has lost it.
    written: VecDeque<(WallTime, Option<u64>)>,
    /// Replies that wait for the standby.
    copying: Vec<Copying>,
}

/// A reply that has reached its client: client, number of its request, what it says.
pub(super) type Delivered = (u8, u64, Answer);

pub(super) struct World {
    settings: Settings,
    pub(super) plan: std::sync::Arc<Plan>,
    /// True time in seconds since the machines were started.
    pub(super) time: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) store: Store,
    /// Replies that have left since this was last emptied.
    pub(super) delivered: Vec<Delivered>,
    /// Whether the store has a standby that commits do not wait for.
    pub(super) standby: bool,
    /// Whether that one follows.
    pub(super) follows: bool,
    /// When it last took the store's place.
    failed_over: Option<u64>,
}

impl World {
    pub(super) fn new(settings: &Settings) -> Self {
        let plan = Plan::compile(settings, None);
        let nodes = (0..NODES).map(|i| Node::new(&plan, i as u64)).collect();
        Self {
            settings: settings.clone(),
            plan,
            time: 1000,
            nodes,
            store: Store::default(),
            delivered: Vec::new(),
            standby: false,
            follows: true,
            failed_over: None,
        }
    }

    /// The same with every block of the pools claimed, in turn.
    pub(super) fn settled(settings: &Settings) -> Self {
        let mut world = Self::new(settings);
        for (i, slot) in world.slots().into_iter().enumerate() {
            world.take(i % NODES, slot);
        }
        world
    }

    /// The slots that matter: those of the pools.
    pub(super) fn slots(&self) -> Vec<Slot> {
        let pools = self.settings.networks.iter().flat_map(|n| &n.subnets);
        let ranges = pools.flat_map(|s| &s.pools).map(|p| p.range);
        let mut slots: Vec<Slot> = Vec::new();
        for range in ranges {
            let (first, last): (u32, u32) = (range.first().into(), range.last().into());
            for block in first >> 6..=last >> 6 {
                let slot = Slot::of_block(block);
                if !slots.contains(&slot) {
                    slots.push(slot);
                }
            }
        }
        slots
    }

    fn raw(&self, node: usize) -> Now {
        let wall = (1_000_000 + self.time).saturating_add_signed(self.nodes[node].off);
        Now {
            boot: BootTime(self.time * 1_000_000_000),
            wall: WallTime(wall * 1000),
        }
    }

    pub(super) fn now(&self, node: usize) -> Now {
        self.nodes[node].clock.read(&self.raw(node))
    }

    pub(super) fn tenure(&self, node: usize) -> Tenure {
        Tenure {
            valid_until: BootTime((self.nodes[node].renewed + VALID) * 1_000_000_000),
            epoch: Epoch::default(),
        }
    }

    /// Whether the node can do all its work.
    pub(super) fn is_well(&self, node: usize) -> bool {
        let node = &self.nodes[node];
        node.up && !node.paused && !node.cut
    }

    /// Who holds a slot by the store's word.
    pub(super) fn holder(&self, slot: Slot) -> Option<usize> {
        let claim = self.store.claims.get(&slot)?;
        (!claim.released).then_some(claim.owner)
    }

    pub(super) fn holder_of(&self, address: Ipv4Addr) -> Option<usize> {
        self.holder(Slot::of_address(address))
    }

    /// Whether a packet about a slot that comes in at `entry` must be answered: that node and the holder can work,
    /// the holder knows that it is one, and nobody else takes himself for it.
    pub(super) fn serves(&self, entry: usize, slot: Slot) -> bool {
        let believes = |i: usize| self.nodes[i].engine.held().contains(slot);
        let holder = self.holder(slot);
        holder.is_some_and(|i| self.is_well(i) && believes(i) && self.tenure(i).holds(self.now(i).boot))
            && self.is_well(entry)
            && (holder == Some(entry) || !believes(entry))
    }

    /// Lets time pass: leases of the store are renewed by who can, leases of clients end.
    pub(super) fn pass(&mut self, secs: u64) {
        self.time += secs;
        for i in 0..NODES {
            if self.nodes[i].up && !self.nodes[i].paused {
                let now = self.now(i);
                while self.nodes[i].engine.tick(&now) {}
            }
            if self.is_well(i) {
                self.renew(i);
            }
        }
    }

    /// The node renews its lease of the store, and learns there what is not its own any more.
    pub(super) fn renew(&mut self, i: usize) {
        let held: Vec<Slot> = self.nodes[i].engine.held().iter().collect();
        let lapsed = !self.tenure(i).holds(self.now(i).boot);
        for &slot in &held {
            let mine = self.nodes[i].engine.epoch(slot);
            let doomed = mine.is_some_and(|epoch| epoch.timeline < self.store.timeline);
            let taken = self.store.claims.get(&slot);
            let taken = taken.is_some_and(|claim| claim.epoch.timeline == self.store.timeline);
            if doomed && !taken && !lapsed {
                self.claim_anew(i, slot);
            } else if doomed
                || self.store.claims.get(&slot).map(|c| (c.owner, Some(c.epoch))) != Some((i, mine))
            {
                self.nodes[i].engine.resign(slot);
            }
        }
        self.nodes[i].renewed = self.time;
        self.find_again(i);
    }

    /// A slot that a failover has made useless is claimed under the new history, and all that is known of it is said
    /// again.
    fn claim_anew(&mut self, i: usize, slot: Slot) {
        let former = self.nodes[i].engine.epoch(slot).expect("it is held");
        let claim = self
            .store
            .claim(slot, i, self.time + self.settings.mclt.as_secs());
        let mut records = Vec::new();
        let engine = &mut self.nodes[i].engine;
        assert!(engine.reassert(slot, former, claim.epoch, &mut records));
        self.keep(i, records, None);
    }

    /// The standby takes the store's place.
    pub(super) fn fail_over(&mut self) {
        let copied = self.store.copied();
        self.store.fail_over();
        self.failed_over = Some(self.time);
        for node in &mut self.nodes {
            node.copying.clear();
            let lost = |stamp: &Option<u64>| stamp.is_none_or(|stamp| stamp > copied);
            let written = node.written.iter_mut().map(|(_, stamp)| stamp);
            written
                .filter(|stamp| lost(stamp))
                .for_each(|stamp| *stamp = None);
        }
    }

    /// Whether a node may claim a slot now.
    fn may_claim(&self, i: usize, slot: Slot) -> bool {
        let settled = |c: &Claim| c.released || self.time >= self.nodes[c.owner].renewed + WAIT;
        // The tenure of an owner that the failover has forgotten must be over.
        if self.failed_over.is_some_and(|at| self.time < at + WAIT) {
            return false;
        }
        // A node whose wall clock is off owns nothing new.
        self.is_well(i) && self.nodes[i].off.abs() <= 1 && self.store.claims.get(&slot).is_none_or(settled)
    }

    /// Claims and takes over a slot if that is allowed.
    pub(super) fn take(&mut self, i: usize, slot: Slot) -> bool {
        if !self.may_claim(i, slot) {
            return false;
        }
        if self.nodes[i].engine.held().is_empty() {
            let raw = self.raw(i);
            self.nodes[i].clock.fix(&raw);
        }
        let mclt = self.settings.mclt.as_secs();
        let claim = self.store.claim(slot, i, self.time + mclt);
        self.nodes[i].renewed = self.time;
        let suspect =
            (claim.suspect_until > self.time).then(|| BootTime(claim.suspect_until * 1_000_000_000));
        let (now, rows) = (self.now(i), self.store.load(slot));
        let mut rows = rows.iter().map(|(epoch, body)| (*epoch, body.as_slice()));
        let takeover = Takeover {
            slot,
            epoch: claim.epoch,
            suspect_until: suspect,
            given_back: claim.given_back,
        };
        let engine = &mut self.nodes[i].engine;
        engine.take_over(&now, &takeover, &mut rows);
        if let Some(until) = suspect.filter(|_| claim.epoch.timeline > 1) {
            engine.distrust(&now, slot, until);
        }
        let stamp = Some(self.store.stamp);
        self.nodes[i].written.push_back((now.wall, stamp));
        true
    }

    /// Gives a slot from its holder to another node, in order.
    pub(super) fn hand_over(&mut self, slot: Slot, to: usize) {
        let Some(from) = self.holder(slot) else { return };
        if from == to || !self.is_well(from) || !self.is_well(to) || self.nodes[to].off.abs() > 1 {
            return;
        }
        if self.nodes[from].engine.epoch(slot) != self.store.claims.get(&slot).map(|c| c.epoch) {
            return;
        }
        self.flush(from);
        self.nodes[from].engine.resign(slot);
        if let Some(claim) = self.store.claims.get_mut(&slot) {
            claim.released = claim.owner == from;
        }
        self.take(to, slot);
    }

    /// The node loses all that is only in its memory.
    pub(super) fn crash(&mut self, i: usize) {
        let renewed = self.nodes[i].renewed;
        let off = self.nodes[i].off;
        self.nodes[i] = Node::new(&self.plan, 77 + self.time);
        (self.nodes[i].up, self.nodes[i].renewed, self.nodes[i].off) = (false, renewed, off);
    }

    /// A packet that comes in at a node goes to where it is decided about. `None` when it got lost on the way.
    pub(super) fn send(&mut self, entry: usize, ask: &Ask, number: u64) -> Option<Answer> {
        let (mut at, mut attempt) = (entry, 0);
        for _ in 0..40 {
            if !self.nodes[at].up || self.nodes[at].paused {
                return None;
            }
            let answer = self.step(at, ask, attempt, number);
            let Verdict::Forward { slot, attempt: next } = answer.verdict else {
                return Some(answer);
            };
            assert!(next > attempt, "it goes forward only");
            attempt = next;
            at = self.holder(slot)?;
        }
        panic!("a packet of {} goes in circles", ask.n);
    }

    /// One node's decision and what it does with it.
    pub(super) fn step(&mut self, i: usize, ask: &Ask, attempt: u8, number: u64) -> Answer {
        let (now, tenure, log) = (self.now(i), self.tenure(i), self.log(i));
        let payload = ask.bytes();
        let arrival = Arrival {
            payload: &payload,
            source: SocketAddrV4::new(RELAY, 67),
            local: SERVER,
            port: 67,
            interface: None,
            broadcast: false,
            attempt,
        };
        let (mut reply, mut records) = (Reply::default(), Vec::new());
        let engine = &mut self.nodes[i].engine;
        let verdict = engine.step(&now, &tenure, log, &arrival, &mut reply, &mut records);
        let answer = Answer {
            verdict,
            bytes: reply.as_bytes().to_vec(),
            to: reply.to,
        };
        let waits = matches!(verdict, Verdict::CommitThenReply | Verdict::CopyThenReply);
        let parked = waits.then(|| (ask.n, number, answer.clone()));
        if matches!(verdict, Verdict::Reply | Verdict::WriteThenReply) {
            self.delivered.push((ask.n, number, answer.clone()));
        }
        self.keep(i, records, parked);
        answer
    }

    /// DISCOVER to ACK through a node, written at once.
    pub(super) fn dora(&mut self, entry: usize, n: u8) -> Option<Ipv4Addr> {
        let offer = self.send(entry, &Ask::new(MessageType::Discover, n), 0)?;
        if offer.verdict != Verdict::Reply {
            return None;
        }
        self.select(entry, n, offer.address())
    }

    /// Takes an offer up, through a node.
    pub(super) fn select(&mut self, entry: usize, n: u8, address: Ipv4Addr) -> Option<Ipv4Addr> {
        let ask = Ask::new(MessageType::Request, n)
            .requested(address)
            .server(SERVER);
        self.delivered.clear();
        self.send(entry, &ask, 0)?;
        (0..NODES).for_each(|i| self.flush(i));
        let acks = self.delivered.iter().filter(|(to, ..)| *to == n);
        let ack = acks.map(|(.., answer)| answer).next_back()?;
        (ack.kind() == MessageType::Ack).then(|| ack.address())
    }

    /// Slug of the reason of a node's newest decision.
    pub(super) fn reason(&self, i: usize) -> &'static str {
        let query = crate::view::DecisionQuery {
            limit: 1,
            ..Default::default()
        };
        let told = self.nodes[i].engine.find_decisions(&query);
        told.last().expect("a decision").slug
    }
}

impl Node {
    fn new(plan: &std::sync::Arc<Plan>, entropy: u64) -> Self {
        let mut engine = Engine::new(std::sync::Arc::clone(plan), 0, 1, entropy);
        engine.share();
        Self {
            engine,
            clock: SteadyClock::default(),
            off: 0,
            up: true,
            paused: false,
            cut: false,
            renewed: 0,
            pending: VecDeque::new(),
            written: VecDeque::new(),
            copying: Vec::new(),
        }
    }
}

//! A network of nodes, its clock, its wires, and what must hold of it.

pub(crate) mod app;
mod host;
mod ledger;

pub(crate) use app::{App, Key};
pub(crate) use host::Host;
pub(crate) use ledger::Ledger;

use crate::random::Random;
use alloy_primitives::{Address, B256, Bytes};
use purlin_chain_bft::Timeouts;
use purlin_chain_bft::node::{Action, Event};
use purlin_chain_core::quorum::ValidatorSet;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) const NETWORK: B256 = B256::repeat_byte(0x77);

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What the wires do.
#[derive(Debug, Clone)]
pub(crate) struct Wires {
    /// A message takes from 1 to so many milliseconds.
    pub(crate) delay_max: u64,
    /// Of 1,000 messages so many are lost.
    pub(crate) loss: u64,
    /// Nodes in different groups do not hear each other; all are in group 0 at first.
    pub(crate) groups: Vec<usize>,
    /// Milliseconds that every message to or from a node takes besides.
    pub(crate) far: BTreeMap<usize, u64>,
}

/// What one node does to everything that another node, which is under the test's control, sends.
pub(crate) type Liar = Box<dyn FnMut(&mut Random, Address, &[Address], &Action) -> Vec<(Address, Bytes)>>;

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) now: Duration,
    pub(crate) hosts: Vec<Host>,
    pub(crate) wires: Wires,
    pub(crate) ledger: Ledger,
    /// What a host sends instead of what its node says.
    pub(crate) liars: BTreeMap<usize, Liar>,
    /// In 1,000 actions so many are followed by a power cut.
    pub(crate) crash: u64,
    /// A power cut at the action with this number, by host.
    pub(crate) crash_at: BTreeMap<usize, u64>,
    post: BTreeMap<(Duration, u64), (usize, Event)>,
    posted: u64,
}

impl World {
    /// `validators` keys decide; `followers` more only follow. Nobody is up.
    pub(crate) fn new(seed: u64, validators: usize, followers: usize) -> Self {
        let keys: Vec<Key> = (0..validators + followers).map(Key::new).collect();
        let set = ValidatorSet::new(keys[..validators].iter().map(|key| (key.address, 1))).unwrap();
        Self::with(seed, &keys, validators, BTreeMap::from([(1, set)]))
    }

    /// The sets hold from their height on.
    pub(crate) fn with(seed: u64, keys: &[Key], voting: usize, sets: BTreeMap<u64, ValidatorSet>) -> Self {
        let host = |(index, key): (usize, &Key)| Host::new(index, key.clone(), index < voting, sets.clone());
        Self {
            random: Random::new(seed),
            now: Duration::ZERO,
            hosts: keys.iter().enumerate().map(host).collect(),
            wires: Wires {
                delay_max: 20,
                loss: 0,
                groups: vec![0; keys.len()],
                far: BTreeMap::new(),
            },
            ledger: Ledger::new(sets),
            liars: BTreeMap::new(),
            crash: 0,
            crash_at: BTreeMap::new(),
            post: BTreeMap::new(),
            posted: 0,
        }
    }

    /// Wires and power as the seed has it, from calm to bad, and timeouts that go with them.
    pub(crate) fn weather(&mut self, seed: u64) {
        self.wires.loss = [0, 20, 100][seed as usize % 3];
        self.wires.delay_max = [10, 200, 900][seed as usize / 2 % 3];
        self.crash = [0, 3, 10][seed as usize / 3 % 3];
        self.timeouts(Timeouts {
            propose: ms(1_000),
            prevote: ms(500),
            precommit: ms(500),
            ..Timeouts::default()
        });
    }

    pub(crate) fn timeouts(&mut self, timeouts: Timeouts) {
        for host in &mut self.hosts {
            host.timeouts = timeouts;
        }
    }

    /// All start.
    pub(crate) fn up(mut self) -> Self {
        for index in 0..self.hosts.len() {
            self.start(index);
        }
        self
    }

    pub(crate) fn address(&self, index: usize) -> Address {
        self.hosts[index].key.address
    }

    fn hears(&self, a: usize, b: usize) -> bool {
        a != b
            && self.hosts[a].node.is_some()
            && self.hosts[b].node.is_some()
            && self.wires.groups[a] == self.wires.groups[b]
    }

    fn others(&self, index: usize) -> Vec<usize> {
        (0..self.hosts.len())
            .filter(|other| self.hears(index, *other))
            .collect()
    }

    /// Of those that are down, most start.
    pub(crate) fn start_some(&mut self) {
        for index in self.all() {
            if self.hosts[index].node.is_none() && self.random.permille(700) {
                self.start(index);
            }
        }
    }

    /// A host starts, with what its disk holds.
    pub(crate) fn start(&mut self, index: usize) {
        let actions = self.hosts[index].start(self.now);
        self.act(index, actions);
        for other in self.others(index) {
            self.meet(index, other);
        }
    }

    fn meet(&mut self, a: usize, b: usize) {
        let (here, there) = (self.address(a), self.address(b));
        self.give(a, Event::Up(there));
        self.give(b, Event::Up(here));
    }

    /// Power is cut: what was not flushed is lost.
    pub(crate) fn cut(&mut self, index: usize) {
        let others = self.others(index);
        let gone = self.address(index);
        self.hosts[index].cut();
        for other in others {
            self.give(other, Event::Down(gone));
        }
    }

    /// Nodes hear only those of their group from now on.
    pub(crate) fn part(&mut self, groups: Vec<usize>) {
        let pairs = |hosts: usize| (0..hosts).flat_map(move |a| (0..a).map(move |b| (a, b)));
        let before: BTreeSet<_> = pairs(self.hosts.len())
            .filter(|(a, b)| self.hears(*a, *b))
            .collect();
        self.wires.groups = groups;
        for (a, b) in pairs(self.hosts.len()) {
            match (before.contains(&(a, b)), self.hears(a, b)) {
                (true, false) => {
                    let (here, there) = (self.address(a), self.address(b));
                    self.give(a, Event::Down(there));
                    self.give(b, Event::Down(here));
                }
                (false, true) => self.meet(a, b),
                _ => {}
            }
        }
    }

    pub(crate) fn heal(&mut self) {
        self.wires.loss = 0;
        self.crash = 0;
        self.crash_at.clear();
        self.part(vec![0; self.hosts.len()]);
        for index in 0..self.hosts.len() {
            if self.hosts[index].node.is_none() {
                self.start(index);
            }
        }
    }

    /// Something happens to a host.
    fn give(&mut self, index: usize, event: Event) {
        let now = self.now;
        let Some(node) = &mut self.hosts[index].node else {
            return;
        };
        match node.step(now, event) {
            Ok(actions) => self.act(index, actions),
            Err(halt) => panic!("node {index} halts at {now:?}: {halt}"),
        }
        self.hosts[index].take_news(now);
    }

    fn act(&mut self, index: usize, actions: Vec<Action>) {
        let mut work: std::collections::VecDeque<_> = actions.into();
        while let Some(action) = work.pop_front() {
            self.hosts[index].acted += 1;
            let counted = self.crash_at.get(&index) == Some(&self.hosts[index].acted);
            if counted || self.random.permille(self.crash) {
                return self.cut(index);
            }
            let answer = self.one(index, &action);
            self.send(index, &action);
            if let Some(event) = answer {
                let now = self.now;
                let node = self.hosts[index].node.as_mut().unwrap();
                work.extend(node.step(now, event).expect("an honest node never halts"));
            }
        }
    }

    fn one(&mut self, index: usize, action: &Action) -> Option<Event> {
        let host = &mut self.hosts[index];
        if !self.liars.contains_key(&index) {
            self.ledger.said(host, action);
        }
        if let Action::Decide(decided) = action {
            self.ledger.decided(index, self.now, decided);
        }
        host.act(action)
    }

    /// Puts on the wires what an action sends.
    fn send(&mut self, index: usize, action: &Action) {
        let others = self.others(index);
        let letters = match self.liars.get_mut(&index) {
            Some(liar) => {
                let addresses: Vec<_> = others
                    .iter()
                    .map(|other| self.hosts[*other].key.address)
                    .collect();
                liar(
                    &mut self.random,
                    self.hosts[index].key.address,
                    &addresses,
                    action,
                )
            }
            None => honest(&self.hosts[index], &others, &self.hosts, action),
        };
        for (to, octets) in letters {
            let Some(to) = self.hosts.iter().position(|host| host.key.address == to) else {
                continue;
            };
            if self.hears(index, to) && !self.random.permille(self.wires.loss) {
                let far = |host: &usize| self.wires.far.get(host).copied().unwrap_or(0);
                let delay = 1 + self.random.below(self.wires.delay_max) + far(&index) + far(&to);
                let from = self.address(index);
                self.posted += 1;
                let key = (self.now + ms(delay), self.posted);
                self.post.insert(key, (to, Event::Message { from, octets }));
            }
        }
    }

    /// The next thing happens. Time never stands still: nodes always have a timer.
    pub(crate) fn step(&mut self) {
        let letter = self.post.first_key_value().map(|((at, _), _)| *at);
        let timers = self.hosts.iter().enumerate().filter_map(|(index, host)| {
            let node = host.node.as_ref()?;
            Some((node.next_timer(), index))
        });
        let timer = timers.min();
        match (letter, timer) {
            (Some(at), due) if due.is_none_or(|(due, _)| at <= due) => {
                let (_, (to, event)) = self.post.pop_first().unwrap();
                self.now = self.now.max(at);
                let Event::Message { from, .. } = &event else {
                    unreachable!("only messages are posted")
                };
                let from = self.hosts.iter().position(|host| host.key.address == *from);
                // A wire that was cut loses what is on it.
                if self.hears(from.unwrap(), to) {
                    self.give(to, event);
                }
            }
            (_, Some((due, index))) => {
                self.now = self.now.max(due);
                self.give(index, Event::Tick);
            }
            _ => panic!("nothing will ever happen again"),
        }
    }

    /// So much time passes.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
    }

    /// Runs until it holds.
    pub(crate) fn until(&mut self, what: &str, limit: Duration, holds: impl Fn(&Self) -> bool) {
        let end = self.now + limit;
        while !holds(self) {
            assert!(
                self.now < end,
                "not within {limit:?}: {what}\n{}",
                self.describe()
            );
            self.step();
        }
    }

    pub(crate) fn head(&self, index: usize) -> u64 {
        self.hosts[index].app.chain.len() as u64
    }

    pub(crate) fn best(&self) -> u64 {
        (0..self.hosts.len()).map(|index| self.head(index)).max().unwrap()
    }

    /// Whether all these have decided this height.
    pub(crate) fn have(&self, hosts: impl IntoIterator<Item = usize>, height: u64) -> bool {
        hosts.into_iter().all(|index| self.head(index) >= height)
    }

    pub(crate) fn all(&self) -> std::ops::Range<usize> {
        0..self.hosts.len()
    }

    fn describe(&self) -> String {
        let hosts = self.hosts.iter().map(|host| {
            let standing = host.node.as_ref().map(|node| format!("{:?}", node.standing()));
            format!(
                "{}: head {}, {}\n",
                host.index,
                host.app.chain.len(),
                standing.unwrap_or_default()
            )
        });
        format!("now {:?}\n{}", self.now, hosts.collect::<String>())
    }
}

fn honest(host: &Host, others: &[usize], hosts: &[Host], action: &Action) -> Vec<(Address, Bytes)> {
    match action {
        Action::Broadcast(octets) => {
            let to = others
                .iter()
                .map(|other| (hosts[*other].key.address, octets.clone()));
            to.collect()
        }
        Action::Send { to, message } => vec![(*to, message.clone())],
        Action::Serve { to, ask } => vec![(*to, host.app.serve(*ask))],
        _ => Vec::new(),
    }
}

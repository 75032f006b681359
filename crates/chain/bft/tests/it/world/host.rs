//! A machine: a node while power is on, and its disk.

use super::NETWORK;
use super::app::{App, Key};
use purlin_chain_bft::node::{Action, Event, Node};
use purlin_chain_bft::{Logged, Record, Timeouts};
use purlin_chain_core::agreement::News;
use purlin_chain_core::quorum::ValidatorSet;
use std::collections::BTreeMap;
use std::time::Duration;

/// The log on a disk that forgets what was not flushed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    pub(crate) height: u64,
    pub(crate) durable: Vec<Record>,
    pub(crate) unflushed: Vec<Record>,
}

pub(crate) struct Host {
    pub(crate) index: usize,
    pub(crate) key: Key,
    pub(crate) votes: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) app: App,
    pub(crate) disk: Disk,
    /// `None` while it is off.
    pub(crate) node: Option<Node>,
    /// Actions done so far.
    pub(crate) acted: u64,
    /// What its node told, and when.
    pub(crate) news: Vec<(Duration, News)>,
}

impl Host {
    pub(crate) fn new(index: usize, key: Key, votes: bool, sets: BTreeMap<u64, ValidatorSet>) -> Self {
        Self {
            index,
            key,
            votes,
            timeouts: Timeouts::default(),
            app: App::new(sets),
            disk: Disk::default(),
            node: None,
            acted: 0,
            news: Vec::new(),
        }
    }

    pub(crate) fn start(&mut self, now: Duration) -> Vec<Action> {
        let logged = (!self.disk.durable.is_empty()).then(|| Logged {
            height: self.disk.height,
            records: self.disk.durable.clone(),
        });
        let key = self.votes.then(|| Box::new(self.key.clone()) as _);
        let mut node = Node::new(NETWORK, key, self.timeouts, self.app.settings(), logged);
        let actions = node.begin(now).expect("the log leads to what it says");
        self.node = Some(node);
        actions
    }

    pub(crate) fn cut(&mut self) {
        self.node = None;
        self.disk.unflushed.clear();
    }

    pub(crate) fn take_news(&mut self, now: Duration) {
        let news = self.node.iter_mut().flat_map(Node::take_news);
        self.news.extend(news.map(|news| (now, news)));
    }

    pub(crate) fn act(&mut self, action: &Action) -> Option<Event> {
        match action {
            Action::Begin(height) => {
                self.disk = Disk {
                    height: *height,
                    ..Disk::default()
                };
            }
            Action::Append(record) => self.disk.unflushed.push(record.clone()),
            Action::Flush => self.disk.durable.append(&mut self.disk.unflushed),
            Action::Propose { height, round, .. } => {
                let proposal = self.app.propose(*height, *round, self.key.address);
                return Some(Event::Proposed(proposal));
            }
            Action::Validate(proposal) => {
                return Some(Event::Validated {
                    refused: (!self.app.validate(proposal)).then(|| "it is stubborn".to_owned()),
                    proposal: proposal.clone(),
                });
            }
            Action::Decide(decided) => return Some(Event::Began(self.app.decide(decided))),
            Action::Broadcast(_) | Action::Send { .. } | Action::Serve { .. } => {}
        }
        None
    }
}

//! A database server as the nodes see it: claims and fenced rows as `purlin-store-postgres` keeps them, a standby that
//! has all of it or less, and failovers that lose what it did not have.
//!
//! Statements are taken in whole at the instant of their commit. That is what the locks of the real one come to.

mod books;
mod claims;
mod rows;

pub(crate) use books::{Books, Deed, Edit, pattern};
pub(crate) use rows::{Write, table};

use crate::clock::{SECOND, true_wall};
use purlin_fabric::port::{ClaimKey, ClaimRow, Durability, NodeRow, NodeState, Probe};
use purlin_store::{Copies, Standing, StoredRow};
use purlin_types::{Epoch, NodeId, Slot};
use std::collections::{BTreeMap, VecDeque};

/// How long a standby may be silent before the primary says that it is gone.
const STANDBY_PATIENCE: u64 = 2 * SECOND;

/// Whether there is a standby, and whether commits wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standby {
    None,
    Async,
    Sync,
}

/// Everything stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    nodes: BTreeMap<NodeId, NodeRow>,
    claims: BTreeMap<ClaimKey, ClaimRow>,
    plan: (u64, Vec<u8>),
    rows: BTreeMap<(&'static str, u64), StoredRow>,
}

/// One change to the tables, as it goes to the standby.
#[derive(Debug, Clone)]
enum Change {
    Node(NodeRow),
    Claim(ClaimRow),
    Plan(u64, Vec<u8>),
    Row(&'static str, StoredRow),
}

impl Tables {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Node(row) => drop(self.nodes.insert(row.id.clone(), row)),
            Change::Claim(row) => drop(self.claims.insert(row.key.clone(), row)),
            Change::Plan(number, body) => self.plan = (number, body),
            Change::Row(table, row) => drop(self.rows.insert((table, row.row.key), row)),
        }
    }
}

/// Rules of the database that a mutation leaves out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Laxity {
    pub(crate) no_fence: bool,
    pub(crate) forgets_suspect: bool,
    pub(crate) old_claims_fence: bool,
    /// Says that it never failed over.
    pub(crate) hides_timeline: bool,
    /// Says after a failover that nothing can have been before it.
    pub(crate) denies_past: bool,
    /// A renewal changes nothing that anybody sees.
    pub(crate) silent_renewal: bool,
    /// Enrols whoever asks.
    pub(crate) admits_twins: bool,
    /// Keeps whatever row comes last.
    pub(crate) no_order: bool,
    /// Lets a client have several live rows.
    pub(crate) no_unique: bool,
    /// Says with every commit that it has no standby.
    pub(crate) calls_itself_alone: bool,
}

/// One server.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) timeline: u32,
    pub(crate) laxity: Laxity,
    tables: Tables,
    mode: Standby,
    standby: Option<Tables>,
    /// Transactions that the standby does not have yet.
    behind: VecDeque<Vec<Change>>,
    /// Transactions ever taken in: the place in this history.
    place: u64,
    /// What the mark of `fenced/standing.rs` says: histories below this one may have lost their end.
    parted_below: u32,
    /// Since when the standby has not been reached.
    pub(crate) cut_since: Option<u64>,
    /// Until then a standby that nothing waits for takes nothing in.
    pub(crate) lags_until: u64,
    pub(crate) up: bool,
    /// The disk is full: nothing is written.
    pub(crate) full: bool,
    /// Real time until which the disk takes its time.
    pub(crate) slow_until: u64,
    /// A row that was replaced by what had been said of it earlier (R7).
    pub(crate) gone_back: Option<u64>,
    /// Under which epoch each slot has been read by a new owner: no row may come in under an older one after that (I4).
    read_under: BTreeMap<Slot, Epoch>,
    /// What has no claims, and as much of it as the standby has.
    books: Books,
    copied: Books,
}

impl Database {
    pub(crate) fn new(mode: Standby, laxity: Laxity) -> Self {
        Self {
            timeline: 1,
            laxity,
            tables: Tables::default(),
            mode,
            standby: (mode != Standby::None).then(Tables::default),
            behind: VecDeque::new(),
            place: 0,
            parted_below: 0,
            cut_since: None,
            lags_until: 0,
            up: true,
            full: false,
            slow_until: 0,
            gone_back: None,
            read_under: BTreeMap::new(),
            books: Books::default(),
            copied: Books::default(),
        }
    }

    /// Whether a commit would wait for a standby that does not answer.
    pub(crate) fn hangs(&self) -> bool {
        self.mode == Standby::Sync && self.standby.is_some() && self.cut_since.is_some()
    }

    /// How many transactions a failover would lose now.
    pub(crate) fn behind(&self) -> usize {
        self.behind.len()
    }

    /// The standby catches up, if it is reached; by so many transactions when nothing waits for it.
    pub(crate) fn replicate(&mut self, real: u64, most: usize) {
        let waits = self.mode == Standby::Sync;
        let follows = self.cut_since.is_none() && (waits || self.lags_until <= real);
        if let Some(standby) = self.standby.as_mut().filter(|_| follows) {
            let n = self.behind.len().min(if waits { usize::MAX } else { most });
            let changes = self.behind.drain(..n).flatten();
            changes.for_each(|change| standby.apply(change));
            if self.behind.is_empty() {
                self.copy_books();
            }
        }
    }

    /// A new standby is set up from what is here.
    pub(crate) fn attach_standby(&mut self) {
        if self.mode != Standby::None && self.standby.is_none() {
            self.behind.clear();
            self.cut_since = None;
            self.standby = Some(self.tables.clone());
            self.copy_books();
        }
    }

    /// The standby as a server of its own, promoted: the next history. `None` without one.
    ///
    /// This server goes on without: it cannot reach it any more, and where commits wait for it they wait for ever.
    pub(crate) fn promote(&mut self, real: u64) -> Option<Self> {
        let tables = self.standby.clone()?;
        let whole = self.synced(real);
        self.cut_since.get_or_insert(real);
        Some(Self {
            timeline: self.timeline + 1,
            laxity: self.laxity,
            tables,
            mode: self.mode,
            standby: None,
            behind: VecDeque::new(),
            place: self.place - self.behind.len() as u64,
            parted_below: if whole {
                self.parted_below
            } else {
                self.timeline + 1
            },
            cut_since: None,
            lags_until: 0,
            up: true,
            full: false,
            slow_until: 0,
            gone_back: None,
            read_under: self.read_under.clone(),
            books: self.books_of_standby(real),
            copied: Books::default(),
        })
    }

    /// Whether commits are, as the server says, on a standby too.
    fn synced(&self, real: u64) -> bool {
        let silent = self
            .cut_since
            .is_some_and(|since| real > since + STANDBY_PATIENCE);
        self.mode == Standby::Sync && self.standby.is_some() && !silent
    }

    pub(crate) fn probe(&self, real: u64) -> Probe {
        let lie = self.laxity.denies_past && self.timeline > 1;
        Probe {
            timeline: self.shown_timeline(),
            wall: true_wall(real),
            durability: match self.synced(real) {
                _ if lie => Durability::Local,
                true => Durability::Synced,
                false => Durability::Single,
            },
            parted_below: if lie { 0 } else { self.parted_below },
        }
    }

    /// What `fenced/standing.rs` reads from the server's views.
    pub(crate) fn standing(&self, real: u64) -> Standing {
        let upto = self.place - self.behind.len() as u64;
        let silent = self
            .cut_since
            .is_some_and(|since| real > since + STANDBY_PATIENCE);
        Standing {
            timeline: self.shown_timeline(),
            written: self.place,
            copies: match self.standby {
                None => Copies::None,
                Some(_) if self.synced(real) => Copies::Synced { upto },
                Some(_) => Copies::Behind {
                    upto,
                    follows: !silent,
                },
            },
        }
    }

    const fn shown_timeline(&self) -> u32 {
        if self.laxity.hides_timeline {
            1
        } else {
            self.timeline
        }
    }

    /// Whether a claim may be relied on: it is of this history, or no history can have parted from it.
    fn is_of_this_history(&self, real: u64, claim: &ClaimRow) -> bool {
        self.laxity.old_claims_fence
            || claim.version.epoch.timeline == self.shown_timeline()
            || self.synced(real)
    }

    /// Takes a transaction in, and gives it to a standby that commits wait for.
    fn commit(&mut self, changes: Vec<Change>) {
        self.place += 1;
        if self.standby.is_some() {
            self.behind.push_back(changes.clone());
        }
        for change in changes {
            if let Change::Row(table, new) = &change
                && let Some(old) = self.tables.rows.get(&(*table, new.row.key))
                && (new.epoch, new.row.version) < (old.epoch, old.row.version)
            {
                self.gone_back = Some(new.row.key);
            }
            self.tables.apply(change);
        }
        if self.mode == Standby::Sync {
            self.replicate(0, usize::MAX);
        }
    }

    /// The operator marks a node, whoever it is now.
    pub(crate) fn mark(&mut self, id: &NodeId, state: NodeState) {
        if let Some(row) = self.tables.nodes.get(id) {
            let row = NodeRow { state, ..row.clone() };
            self.commit(vec![Change::Node(row)]);
        }
    }

    /// Which life of a node is enrolled.
    pub(crate) fn enrolled(&self, id: &NodeId) -> Option<&NodeRow> {
        self.tables.nodes.get(id)
    }

    /// Every row of a table: its key, what must be unique in it, and its body.
    pub(crate) fn all(&self, table: &'static str) -> impl Iterator<Item = (u64, Option<&[u8]>, &[u8])> {
        let rows = self.tables.rows.range((table, 0)..=(table, u64::MAX));
        rows.map(|((_, key), row)| (*key, row.row.unique.as_deref(), &*row.row.body))
    }

    /// The body of a row.
    pub(crate) fn body(&self, table: &'static str, key: u64) -> Option<&[u8]> {
        self.tables.rows.get(&(table, key)).map(|row| &*row.row.body)
    }
}

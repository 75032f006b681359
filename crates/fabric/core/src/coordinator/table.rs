//! The claims as the newest look showed them, and what of them is this node's.

use crate::plan::Plan;
use crate::port::Version;
use purlin_types::{BootTime, Epoch, NodeId, SLOTS, Slot};
use std::sync::Arc;

/// Where a holding comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Origin {
    /// Nobody's before, or taken without its owner having said all.
    #[default]
    Taken,
    /// Given back in order by who held it under this epoch, with nothing in doubt.
    GivenBack(Epoch),
    /// This node's own under this epoch until the very grant.
    Continued(Epoch),
}

/// What a slot is to this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mine {
    #[default]
    Not,
    /// Granted at `since` (receipt), decided about.
    Held {
        epoch: Epoch,
        since: BootTime,
        suspect_until: Option<BootTime>,
        origin: Origin,
    },
    /// The service flushes; no decisions.
    Leaving { epoch: Epoch },
    /// Flushed; the release is under way or due.
    Releasing { epoch: Epoch },
}

impl Mine {
    /// The term, while there is one.
    pub(super) const fn epoch(self) -> Option<Epoch> {
        match self {
            Self::Not => None,
            Self::Held { epoch, .. } | Self::Leaving { epoch } | Self::Releasing { epoch } => Some(epoch),
        }
    }
}

/// Who a row names as its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Owner {
    #[default]
    Nobody,
    /// This life of this node.
    Me,
    /// Index into the lives of the look.
    Other(u16),
}

/// One slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cell {
    pub(super) row: Version,
    pub(super) owner: Owner,
    pub(super) suspect: bool,
    pub(super) mine: Mine,
    /// The epoch under which the service decided last, while not everything is known to be flushed and nobody else is
    /// known to have had the slot since.
    pub(super) dirty: Option<Epoch>,
    /// The last term of which everything is known to be flushed.
    flushed: Option<Epoch>,
    /// The newest epoch that this life has let go of, or never took up: a late grant of it comes to nothing.
    closed: Epoch,
}

impl Cell {
    pub(super) fn is_closed(&self, epoch: Epoch) -> bool {
        epoch <= self.closed
    }

    /// The store says that it is this life's, and records of that term may be missing, or of one before: a wish from
    /// before this life decided may have been granted after it did, unknown to it, and hides that term. After a
    /// failover that may have lost commits that goes for every term but one that was flushed: such a wish hides its
    /// predecessor's as well.
    pub(super) fn is_unflushed(&self, lossy: bool) -> bool {
        let missing = self.dirty.is_some() || (lossy && self.flushed != Some(self.row.epoch));
        self.owner == Owner::Me && missing
    }
}

/// All slots.
#[derive(Debug, Clone)]
pub(super) struct Table {
    cells: Vec<Cell>,
    plan: Option<Arc<Plan>>,
    /// By slot: indices into the plan's nodes, most wanted first; all of one length.
    preferences: Vec<u16>,
    free: u16,
    held: u16,
    leaving: u16,
    releasing: u16,
    newest: Epoch,
    next_settle: BootTime,
    /// Whether the holdings have to be put together anew.
    pub(super) changed: bool,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            cells: vec![Cell::default(); usize::from(SLOTS)],
            plan: None,
            preferences: Vec::new(),
            free: SLOTS,
            held: 0,
            leaving: 0,
            releasing: 0,
            newest: Epoch::default(),
            next_settle: BootTime::MAX,
            changed: false,
        }
    }

    pub(super) fn cell(&self, slot: Slot) -> &Cell {
        &self.cells[usize::from(slot.index())]
    }

    /// What the store showed; not what is this node's, which only [`Table::set`] changes.
    pub(super) fn row(&mut self, slot: Slot, row: Version, owner: Owner, suspect: bool) {
        let cell = &mut self.cells[usize::from(slot.index())];
        // Whoever took it from this life did so by force, and the row says so until all is settled.
        if owner != Owner::Me && cell.dirty.is_some_and(|dirty| row.epoch > dirty) {
            cell.dirty = None;
        }
        (cell.row, cell.owner, cell.suspect) = (row, owner, suspect);
    }

    /// Forgets what the store showed.
    pub(super) fn clear_rows(&mut self) {
        for cell in &mut self.cells {
            (cell.row, cell.owner, cell.suspect) = (Version::default(), Owner::Nobody, false);
        }
    }

    /// Moves a slot on in its life.
    pub(super) fn set(&mut self, slot: Slot, mine: Mine) {
        let old = self.cell(slot).mine;
        if old == mine {
            return;
        }
        if let Mine::Held { epoch, .. } | Mine::Leaving { epoch } | Mine::Releasing { epoch } = old
            && mine == Mine::Not
        {
            self.close(slot, epoch);
        }
        *self.count(old) -= 1;
        *self.count(mine) += 1;
        if let Mine::Held {
            epoch, suspect_until, ..
        } = mine
        {
            self.newest = self.newest.max(epoch);
            self.next_settle = self.next_settle.min(suspect_until.unwrap_or(BootTime::MAX));
            self.cells[usize::from(slot.index())].dirty = Some(epoch);
        }
        self.cells[usize::from(slot.index())].mine = mine;
        self.changed = true;
    }

    /// From now on this life does not take up grants of `epoch` or before.
    pub(super) fn close(&mut self, slot: Slot, epoch: Epoch) {
        let cell = &mut self.cells[usize::from(slot.index())];
        cell.closed = cell.closed.max(epoch);
    }

    /// All that was decided about a slot is durable.
    pub(super) fn flushed(&mut self, slot: Slot, epoch: Epoch) {
        let cell = &mut self.cells[usize::from(slot.index())];
        (cell.dirty, cell.flushed) = (None, Some(epoch));
    }

    /// Every slot with its cell, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &Cell)> {
        Slot::all().zip(&self.cells)
    }

    /// Slots for which `which` holds; only walked when something of this node's can be among them.
    pub(super) fn select(&self, which: impl Fn(&Cell) -> bool) -> Vec<Slot> {
        if self.occupied() == 0 {
            return Vec::new();
        }
        self.iter()
            .filter(|(_, cell)| which(cell))
            .map(|(slot, _)| slot)
            .collect()
    }

    pub(super) const fn holds_any(&self) -> bool {
        self.held > 0
    }

    pub(super) const fn leaving(&self) -> u16 {
        self.leaving
    }

    pub(super) const fn releasing(&self) -> u16 {
        self.releasing
    }

    /// Held, leaving or being released.
    pub(super) const fn occupied(&self) -> usize {
        self.held as usize + self.leaving as usize + self.releasing as usize
    }

    pub(super) const fn newest_epoch(&self) -> Epoch {
        self.newest
    }

    /// When the next quarantine ends.
    pub(super) const fn next_settle(&self) -> BootTime {
        self.next_settle
    }

    pub(super) const fn settle_at(&mut self, next: BootTime) {
        self.next_settle = next;
    }

    pub(super) const fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    pub(super) fn follow(&mut self, plan: Arc<Plan>) {
        let nodes = plan.nodes();
        let index =
            |id: &NodeId| u16::try_from(nodes.binary_search(id).unwrap_or(usize::MAX)).unwrap_or(u16::MAX);
        self.preferences = Slot::all()
            .flat_map(|slot| plan.preference(slot).map(index))
            .collect();
        self.plan = Some(plan);
    }

    /// Indices of the plan's nodes, most wanted first.
    pub(super) fn preference(&self, slot: Slot) -> &[u16] {
        let copies = self.preferences.len() / usize::from(SLOTS);
        let start = usize::from(slot.index()) * copies;
        &self.preferences[start..start + copies]
    }

    fn count(&mut self, mine: Mine) -> &mut u16 {
        match mine {
            Mine::Not => &mut self.free,
            Mine::Held { .. } => &mut self.held,
            Mine::Leaving { .. } => &mut self.leaving,
            Mine::Releasing { .. } => &mut self.releasing,
        }
    }
}

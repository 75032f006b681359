//! Whose rows may be written: looked at here, and again by the database.

use super::{Builder, Done};
use crate::model::{Child, Diff, Kind, OWNER_KEY, Owner, State, owner};
use crate::plan::{Reach, Reason, Refusal};
use crate::problem::Problem;
use crate::tenant::TENANT_KEY;
use purlin_ovsdb::{Atom, Datum, Row, Uuid};

const GLOBAL: &str = "NB_Global";

impl Builder<'_, '_> {
    pub(super) fn there(&self, table: &str, uuid: Uuid) -> Done {
        self.table(table)?;
        if self.after.contains(table, uuid) {
            return Ok(());
        }
        let problem = Problem::error("row-missing", format!("{table} {uuid}"), "there is no such row");
        Err(Refusal::one(Reason::NotFound, problem))
    }

    /// The row is there and may be written; the database is asked to look again.
    pub(super) fn ours(&mut self, table: &str, uuid: Uuid) -> Done {
        self.there(table, uuid)?;
        if self.born.contains(&(uuid, table)) {
            return Ok(());
        }
        self.mine(table, uuid)?;
        if self.writer.reach == Reach::All {
            if self.after.base().contains(table, uuid) {
                self.guards.exists(table, uuid);
            }
            return Ok(());
        }
        let whose = self.after.owner(table, uuid);
        self.may_write(table, uuid, &whose)?;
        let base = self.after.base();
        if base.contains(table, uuid) {
            match carrier(&base, table, uuid) {
                Some((table, uuid, mark)) => self.guards.owned(&table, uuid, &mark),
                None => self.guards.exists(table, uuid),
            }
        }
        Ok(())
    }

    /// The row of the database itself carries no mark, and is nobody's to take away: OVN counts in it, and who reaches
    /// the database hangs on it.
    pub(super) fn not_the_global(&self, table: &str, uuid: Uuid) -> Done {
        if table != GLOBAL || self.writer.reach == Reach::All || self.after.uuids(table).len() > 1 {
            return Ok(());
        }
        let message = "its only row is OVN's own: options, counts, connections and keys of the whole database go with it";
        let problem = Problem::error("global-row", format!("{table} {uuid}"), message);
        let problem =
            problem.help("change its columns instead; an admin who means to take it away says force=true");
        Err(Refusal::one(Reason::Foreign, problem))
    }

    fn may_write(&self, table: &str, uuid: Uuid, whose: &Owner) -> Done {
        let allowed = match whose {
            Owner::Purlin(name) => *name == self.writer.owner,
            Owner::Other(_) => false,
            Owner::Nobody => self.writer.reach == Reach::Unmarked,
        };
        if allowed || self.writer.reach == Reach::All {
            return Ok(());
        }
        let label = match self.after.contains(table, uuid) {
            true => self.after.label(table, uuid),
            false => self.after.base().label(table, uuid),
        };
        Err(Refusal::foreign(table, &label, whose, &self.writer.owner))
    }

    /// Who may write a row gives it to nobody else: its mark is neither taken nor written over. `values` are keys that go,
    /// or keys and values that come.
    pub(super) fn mark_stays(&self, table: &str, uuid: Uuid, values: &Datum) -> Done {
        let goes = values.contains(&Atom::from(OWNER_KEY));
        let other = values
            .get_str(OWNER_KEY)
            .is_some_and(|mark| mark != self.writer.owner);
        if self.writer.reach == Reach::All || !(goes || other) {
            return Ok(());
        }
        let place = format!("{table} {}", self.after.label(table, uuid));
        let problem = Problem::error("owner-mark", place, "the mark of the owner stays");
        Err(Refusal::one(Reason::Invalid, problem))
    }

    /// Rows that go along with what was deleted must be ours too.
    pub(in crate::plan) fn removed_rows_are_ours(&self, diff: &Diff) -> Done {
        let base = self.after.base();
        for row in diff.rows.iter().filter(|row| row.kind == Kind::Removed) {
            let whose = owner(&base.map(&row.table, row.uuid, "external_ids"));
            if whose != Owner::Nobody {
                self.may_write(&row.table, row.uuid, &whose)?;
            }
        }
        Ok(())
    }

    /// The row with the mark of its owner, where its table has room for one.
    pub(super) fn marked(&self, table: &str, mut row: Row, parent: Option<&Child>) -> Result<Row, Refusal> {
        if self.table(table)?.column("external_ids").is_none() {
            return Ok(row);
        }
        self.mark_tenant(&mut row, parent);
        let ids = row.get("external_ids").cloned().unwrap_or(Datum::EMPTY_MAP);
        match ids.get_str(OWNER_KEY) {
            Some(mark) if mark == self.writer.owner || self.writer.reach == Reach::All => {}
            Some(mark) => {
                let owner = Owner::Purlin(mark.to_owned());
                return Err(Refusal::foreign(
                    table,
                    "of this request",
                    &owner,
                    &self.writer.owner,
                ));
            }
            None if ids.is_empty() => row.set("external_ids", self.mark.clone()),
            None => {
                let mark = (Atom::from(OWNER_KEY), Atom::from(&self.writer.owner));
                row.set(
                    "external_ids",
                    Datum::map(ids.pairs().iter().cloned().chain([mark])),
                );
            }
        }
        Ok(row)
    }

    /// A row keeps its marks when its `external_ids` are written anew.
    pub(super) fn keep_marks(&self, table: &str, uuid: Uuid, row: &mut Row) {
        let Some(new) = row.get("external_ids") else {
            return;
        };
        let held = self.after.value(table, uuid, "external_ids");
        let mark = |key: &'static str| {
            let mark = held?.get_str(key)?;
            Some((Atom::from(key), Atom::from(mark)))
        };
        let tenant = mark(TENANT_KEY).filter(|_| new.get_str(TENANT_KEY).is_none());
        let marks = mark(OWNER_KEY).into_iter().chain(tenant);
        let ids = Datum::map(new.pairs().iter().cloned().chain(marks));
        row.set("external_ids", ids);
    }

    /// A row may come back as it was when it was ours, or when it hangs on a row that is looked at by itself.
    pub(super) fn restorable(&self, table: &str, uuid: Uuid, row: &Row) -> Done {
        let child = !self.table(table)?.root;
        let ids = row.get("external_ids").map(Datum::pairs).unwrap_or_default();
        let text = |(k, v): &(Atom, Atom)| Some((k.as_str()?.to_owned(), v.as_str()?.to_owned()));
        match owner(&ids.iter().filter_map(text).collect()) {
            Owner::Nobody if child => Ok(()),
            whose => self.may_write(table, uuid, &whose),
        }
    }
}

/// The row that carries the owner's mark: this one or an ancestor.
fn carrier(state: &State<'_>, table: &str, uuid: Uuid) -> Option<(String, Uuid, String)> {
    match state
        .value(table, uuid, "external_ids")
        .and_then(|ids| ids.get_str(OWNER_KEY))
    {
        Some(mark) => Some((table.to_owned(), uuid, mark.to_owned())),
        None => {
            let (table, _, uuid) = state.parent(table, uuid)?;
            carrier(state, table, uuid)
        }
    }
}

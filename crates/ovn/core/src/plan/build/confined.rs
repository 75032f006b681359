//! What a tenant may do: looked at here, and again by the database.

use super::{Builder, Done};
use crate::model::{Change, Child, Diff, Kind, RowDiff, target};
use crate::plan::{Reason, Refusal};
use crate::problem::Problem;
use crate::serving::ADDRESS_KEY;
use crate::tenant::{
    Confine, NAMED, SHARED_KEY, TALLY_KEY, TENANT_KEY, carrier, count, is_shared, may_have, tables_of,
    tenant_of,
};
use purlin_ovsdb::{Atom, Datum, Insert, Mutation, Row, Uuid};

const GLOBAL: &str = "NB_Global";

impl Builder<'_, '_> {
    /// The change as a tenant may make it: nothing that reaches beyond it, names with its prefix. Without a tenant, the
    /// change as it is.
    pub(super) fn within(&self, change: Change) -> Result<Change, Refusal> {
        let Some(confine) = self.after.confine() else {
            return Ok(change);
        };
        let table = change.table();
        self.table(table)?;
        if !Confine::has_table(table) {
            let message = format!("rows of {table} concern the whole installation");
            return Err(beyond(confine, table, message));
        }
        match change {
            Change::Insert {
                table,
                uuid,
                row,
                parent,
            } => {
                self.serves_from(confine, &table, None, row.get("external_ids"))?;
                let row = self.tame(confine, &table, row)?;
                Ok(Change::Insert {
                    table,
                    uuid,
                    row,
                    parent,
                })
            }
            Change::Update { table, uuid, row } => {
                self.serves_from(confine, &table, Some(uuid), row.get("external_ids"))?;
                let row = self.tame(confine, &table, row)?;
                Ok(Change::Update { table, uuid, row })
            }
            Change::Restore { table, uuid, row } => {
                let ids = row.get("external_ids");
                let whose = ids.and_then(|ids| ids.get_str(TENANT_KEY));
                if self.table(&table)?.root && whose != Some(&confine.tenant) {
                    return Err(missing(&table, uuid));
                }
                self.serves_from(confine, &table, Some(uuid), ids)?;
                let row = self.tame(confine, &table, row)?;
                Ok(Change::Restore { table, uuid, row })
            }
            Change::Add {
                ref table,
                uuid,
                ref column,
                ref values,
            } => {
                let ids = (column == "external_ids").then_some(values);
                self.serves_from(confine, table, Some(uuid), ids)?;
                vet(confine, table, column, values)?;
                Ok(change)
            }
            Change::Remove {
                ref table,
                ref column,
                ref values,
                ..
            } => {
                let keys = super::keys(values);
                let marks = [TENANT_KEY, SHARED_KEY].map(Atom::from);
                if column == "external_ids" && marks.iter().any(|mark| keys.contains(mark)) {
                    return Err(beyond(confine, table, "the mark of the tenant stays".to_owned()));
                }
                Ok(change)
            }
            Change::Delete { .. } => Ok(change),
        }
    }

    /// Where Purlin answers a switch's ports is said by those who run the installation: its addresses are theirs.
    fn serves_from(&self, confine: &Confine, table: &str, uuid: Option<Uuid>, ids: Option<&Datum>) -> Done {
        let said = ids.and_then(|ids| ids.get_str(ADDRESS_KEY));
        let known = uuid.and_then(|uuid| self.after.value(table, uuid, "external_ids"));
        if said.is_some() && said != known.and_then(|ids| ids.get_str(ADDRESS_KEY)) {
            let message =
                "that Purlin answers the ports of a switch is not the tenant's to choose".to_owned();
            return Err(beyond(confine, table, message));
        }
        Ok(())
    }

    fn tame(&self, confine: &Confine, table: &str, mut row: Row) -> Result<Row, Refusal> {
        for (column, value) in row.columns() {
            vet(confine, table, column, value)?;
        }
        if NAMED.contains(&table)
            && let Some(name) = row.get("name").and_then(|name| name.one()?.as_str())
        {
            let name = confine.named(table, name);
            row.set("name", Datum::from(name.as_str()));
        }
        Ok(row)
    }

    /// A row that comes gets the mark of the tenant who brings it, else that of the row that it hangs on.
    pub(super) fn mark_tenant(&self, row: &mut Row, parent: Option<&Child>) {
        let ids = row.get("external_ids").cloned().unwrap_or(Datum::EMPTY_MAP);
        if ids.get_str(TENANT_KEY).is_some() {
            return;
        }
        let inherited = |parent: &Child| tenant_of(&self.after, &parent.table, parent.uuid);
        let mark = match self.after.confine() {
            Some(confine) => Some(confine.tenant.clone()),
            None => parent.and_then(inherited),
        };
        if let Some(mark) = mark {
            let mark = (Atom::from(TENANT_KEY), Atom::from(mark.as_str()));
            row.set(
                "external_ids",
                Datum::map(ids.pairs().iter().cloned().chain([mark])),
            );
        }
    }

    /// The row is the tenant's; others are not there. The database is asked to look again.
    pub(super) fn mine(&mut self, table: &str, uuid: Uuid) -> Done {
        let Some(confine) = self.after.confine() else {
            return Ok(());
        };
        if tenant_of(&self.after, table, uuid).as_ref() != Some(&confine.tenant) {
            return Err(missing(table, uuid));
        }
        if let Some((table, uuid, mark)) = carrier(&self.after.base(), table, uuid) {
            self.guards.marked(&table, uuid, TENANT_KEY, &mark);
        }
        Ok(())
    }

    /// Whether the tenant puts its own ports into a switch that is shared with it, or takes them out again.
    pub(super) fn lent(&mut self, table: &str, uuid: Uuid, column: &str, values: &Datum) -> bool {
        let Some(confine) = self.after.confine() else {
            return false;
        };
        if !confine.external || (table, column) != ("Logical_Switch", "ports") {
            return false;
        }
        let base = self.after.base();
        if !is_shared(&base, table, uuid) || tenant_of(&base, table, uuid).as_ref() == Some(&confine.tenant) {
            return false;
        }
        let own = |port: Uuid| {
            tenant_of(&self.after, "Logical_Switch_Port", port).as_ref() == Some(&confine.tenant)
        };
        let lent = values.atoms().iter().filter_map(Atom::as_uuid).all(own);
        if lent {
            self.guards.marked(table, uuid, SHARED_KEY, "true");
        }
        lent
    }

    /// What comes or changes points to the tenant's own rows and to shared ones only, and its quotas hold.
    pub(in crate::plan) fn stays_within(&mut self, diff: &Diff) -> Done {
        let Some(confine) = self.after.confine() else {
            return Ok(());
        };
        let base = self.after.base();
        for row in &diff.rows {
            let own = || tenant_of(&base, &row.table, row.uuid).as_ref() == Some(&confine.tenant);
            match row.kind {
                Kind::Removed if !own() => return Err(missing(&row.table, row.uuid)),
                Kind::Removed => {}
                Kind::Added | Kind::Changed => self.points_within(confine, row)?,
            }
        }
        for bound in &confine.bounds {
            for (quota, most) in &bound.quotas {
                let tables = tables_of(quota);
                let comes = |row: &&RowDiff| row.kind == Kind::Added && tables.contains(&row.table.as_str());
                let coming = diff.rows.iter().filter(comes).count();
                let Ok(most) = usize::try_from(*most) else {
                    continue;
                };
                if coming == 0 {
                    continue;
                }
                self.counted = true;
                let held = count(&self.after, quota, bound.tenants.iter().map(String::as_str));
                if held > most {
                    let message = format!(
                        "{} may have {most} ({quota}) and would have {held} after this, {coming} of them new",
                        bound.of
                    );
                    let problem = Problem::error("tenant-quota", format!("tenant {}", bound.of), message);
                    let help = "remove some, or ask an admin for a larger quota";
                    return Err(Refusal::one(Reason::Invalid, problem.help(help)));
                }
            }
        }
        Ok(())
    }

    fn points_within(&self, confine: &Confine, row: &RowDiff) -> Done {
        let schema = self.table(&row.table)?;
        for column in &row.columns {
            let kind = schema.column(&column.column).map(|column| &column.kind);
            let Some((to, _)) = kind.and_then(target) else {
                continue;
            };
            let before = column.before.as_ref().unwrap_or(&Datum::EMPTY);
            let new = column.after.iter().flat_map(Datum::atoms);
            let new = new
                .filter(|atom| !before.contains(atom))
                .filter_map(Atom::as_uuid);
            for uuid in new {
                let own = tenant_of(&self.after, to, uuid).as_ref() == Some(&confine.tenant);
                let lent = confine.external && is_shared(&self.after, to, uuid);
                if !(own || lent) {
                    return Err(missing(to, uuid));
                }
            }
        }
        Ok(())
    }

    /// Counts what tenants bring, in the same transaction: of two that have seen the same rows only one gets through.
    pub(super) fn tally(&mut self) {
        let Some(confine) = self.after.confine().filter(|_| self.counted) else {
            return;
        };
        let key = format!("{TALLY_KEY}{}", confine.root);
        let one =
            |count: u64| Datum::map([(Atom::from(key.as_str()), Atom::from(count.to_string().as_str()))]);
        let base = self.after.base();
        let Some(global) = base.uuids(GLOBAL).into_iter().next() else {
            self.guards.empty(GLOBAL);
            let mut insert = Insert::new(GLOBAL);
            insert.row = Row::new().with("external_ids", one(1));
            self.operations.insert(insert);
            return;
        };
        let ids = base.value(GLOBAL, global, "external_ids").cloned();
        let ids = ids.unwrap_or(Datum::EMPTY_MAP);
        let count = ids.get_str(&key).map(|count| count.parse().unwrap_or(0_u64));
        match count {
            Some(_) => {
                let held = Datum::map(
                    ids.pairs()
                        .iter()
                        .filter(|(k, _)| k.as_str() == Some(&key))
                        .cloned(),
                );
                self.guards.includes(GLOBAL, global, "external_ids", held);
            }
            // The database has no condition for "no such key".
            None => self.guards.unchanged(GLOBAL, global, "external_ids", ids),
        }
        let next = one(count.unwrap_or(0) + 1);
        let keys = Datum::from(Atom::from(key.as_str()));
        self.operations.mutate(
            GLOBAL,
            global,
            [
                Mutation::delete("external_ids", keys),
                Mutation::insert("external_ids", next),
            ],
        );
    }
}

/// Whether a tenant may write these values, or keys, into this column.
fn vet(confine: &Confine, table: &str, column: &str, values: &Datum) -> Done {
    let keys = values.pairs().iter().map(|(key, _)| key);
    for text in values.atoms().iter().chain(keys).filter_map(Atom::as_str) {
        if let Some(why) = may_have(table, column, text) {
            return Err(beyond(confine, table, format!("{column} `{text}`: {why}")));
        }
    }
    if column == "external_ids" {
        let foreign = values
            .get_str(TENANT_KEY)
            .is_some_and(|mark| mark != confine.tenant);
        if foreign || values.get_str(SHARED_KEY).is_some() {
            let message = "the mark of the tenant is not the tenant's to write".to_owned();
            return Err(beyond(confine, table, message));
        }
    }
    Ok(())
}

fn beyond(confine: &Confine, table: &str, message: String) -> Refusal {
    let problem = Problem::error("tenant-bounds", table, message);
    let help = format!(
        "tenant {} cannot do this; ask those who run the installation",
        confine.name
    );
    Refusal::one(Reason::Invalid, problem.help(help))
}

/// What belongs to others is not there.
fn missing(table: &str, uuid: Uuid) -> Refusal {
    let problem = Problem::error("row-missing", format!("{table} {uuid}"), "there is no such row");
    Refusal::one(Reason::NotFound, problem)
}

//! Tables, columns and values that there can be.

use super::{Builder, Done};
use crate::model::is_volatile;
use crate::plan::{Reason, Refusal};
use crate::problem::Problem;
use purlin_ovsdb::{ColumnType, Datum, Row, TableSchema, Uuid};

impl<'a> Builder<'a, '_> {
    /// Puts the values of DHCP options into the form that OVN must have.
    pub(super) fn write_dhcp(&self, row: &mut Row, uuid: Uuid) -> Done {
        let Some(options) = row.get("options").cloned() else {
            return Ok(());
        };
        let own = row.get("cidr").and_then(|cidr| cidr.one()?.as_str());
        let cidr = own
            .or_else(|| self.after.text("DHCP_Options", uuid, "cidr"))
            .unwrap_or_default();
        let catalog = self.after.dhcp().of(cidr);
        let mut written = Vec::new();
        for (name, value) in options.pairs() {
            let (name, value) = (
                name.as_str().unwrap_or_default(),
                value.as_str().unwrap_or_default(),
            );
            match catalog.write(name, value) {
                Ok(value) => written.push((name.to_owned(), value)),
                Err(problem) => {
                    let place = format!("DHCP_Options {cidr}: options:{name}");
                    return Err(Refusal::one(Reason::Invalid, problem.within(&place)));
                }
            }
        }
        row.set("options", Datum::map(written));
        Ok(())
    }

    pub(super) fn table(&self, table: &str) -> Result<&'a TableSchema, Refusal> {
        let schema = self.after.schema();
        schema.table(table).ok_or_else(|| {
            let known = schema.tables.keys().map(String::as_str);
            let problem =
                Problem::error("table-unknown", table, "there is no such table").nearest(table, known);
            Refusal::one(Reason::NotFound, problem)
        })
    }

    pub(super) fn column(&self, table: &str, column: &str) -> Result<&'a ColumnType, Refusal> {
        let schema = self.table(table)?;
        let found = schema.column(column).map(|column| &column.kind);
        found.ok_or_else(|| {
            let known = schema.columns.keys().map(String::as_str);
            let message = format!("{table} has no column `{column}`");
            let problem = Problem::error("column-unknown", table, message).nearest(column, known);
            Refusal::one(Reason::Invalid, problem)
        })
    }

    /// A row whose columns are there, may be written, and hold what they may.
    pub(super) fn checked(
        &self,
        table: &str,
        schema: &TableSchema,
        row: Row,
        known: Option<Uuid>,
    ) -> Result<Row, Refusal> {
        for (name, value) in row.columns() {
            let kind = self.column(table, name)?;
            let wrong = |message: String| {
                Err(Refusal::one(
                    Reason::Invalid,
                    Problem::error("column-fixed", format!("{table}: {name}"), message),
                ))
            };
            if is_volatile(table, name) {
                return wrong(format!("OVN itself writes `{name}`"));
            }
            if known.is_some() && !schema.column(name).is_some_and(|column| column.mutable) {
                return wrong(format!("`{name}` is set once, when the row comes"));
            }
            self.fits(table, name, value, kind, true)?;
        }
        Ok(row)
    }

    /// Whether a value may be in a column; `whole` says that it is all of it.
    pub(super) fn fits(
        &self,
        table: &str,
        column: &str,
        value: &Datum,
        kind: &ColumnType,
        whole: bool,
    ) -> Done {
        let map = !value.pairs().is_empty();
        let wrong = |message: String| {
            let problem = Problem::error("column-value", format!("{table}: {column}"), message);
            Err(Refusal::one(Reason::Invalid, problem))
        };
        if (map && kind.value.is_none()) || (!map && !value.is_empty() && kind.value.is_some()) {
            return wrong("a map stands for a set, or a set for a map".to_owned());
        }
        if whole {
            self.fits_in_number(table, column, value, kind)?;
        }
        let pairs = value.pairs().iter();
        let values = pairs.filter_map(|(k, v)| Some([(k, &kind.key), (v, kind.value.as_ref()?)]));
        let atoms = value.atoms().iter().map(|atom| (atom, &kind.key));
        for (atom, base) in atoms.chain(values.flatten()) {
            if atom.kind() != base.atomic {
                return wrong(format!("{} is no {}", atom.to_json(), base.atomic));
            }
            if let Err(error) = base.check(atom) {
                return wrong(error.details);
            }
        }
        Ok(())
    }

    /// Whether a column may have as many elements or pairs.
    pub(super) fn fits_in_number(&self, table: &str, column: &str, value: &Datum, kind: &ColumnType) -> Done {
        let count = u32::try_from(value.len()).unwrap_or(u32::MAX);
        if count >= kind.min && count <= kind.max {
            return Ok(());
        }
        let message = format!("{count} values are too many or too few");
        let problem = Problem::error("column-value", format!("{table}: {column}"), message);
        Err(Refusal::one(Reason::Invalid, problem))
    }
}

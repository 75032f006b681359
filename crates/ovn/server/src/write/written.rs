//! What a write did, or would do.

use purlin_ovn_core::model::{Diff, object};
use purlin_ovsdb::{DatabaseSchema, Uuid};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::{Arc, OnceLock};

/// The answer to a write. Its difference becomes text once, for the journal and for whoever asked.
#[derive(Debug)]
pub(crate) struct Written {
    /// The entry in the journal, and the transaction.
    pub(super) request: Uuid,
    pub(super) dry_run: bool,
    pub(super) row: Value,
    pub(super) diff: Arc<Diff>,
    pub(super) schema: Arc<DatabaseSchema>,
    pub(super) text: OnceLock<Box<RawValue>>,
    pub(super) warnings: Value,
    pub(super) affected: Vec<String>,
    pub(super) realised: Value,
}

impl Written {
    /// Whether anything is, or would be, other than before.
    pub(super) fn changed(&self) -> bool {
        !self.diff.is_empty()
    }

    /// The difference as text.
    pub(super) fn text(&self) -> &RawValue {
        let told = self.diff.told(&self.schema);
        let text = || to_raw_value(&told).expect("a difference has nothing that JSON cannot say");
        self.text.get_or_init(text)
    }

    /// For whoever answers something else with it.
    pub(super) fn into_value(self) -> Value {
        let changed = self.changed();
        object([
            ("request", self.request.to_string().into()),
            ("dry_run", self.dry_run.into()),
            ("changed", changed.into()),
            ("row", self.row),
            ("diff", self.diff.to_json(&self.schema)),
            ("warnings", self.warnings),
            ("affected", self.affected.into()),
            ("realised", self.realised),
        ])
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(8))?;
        members.serialize_entry("request", &self.request)?;
        members.serialize_entry("dry_run", &self.dry_run)?;
        members.serialize_entry("changed", &self.changed())?;
        members.serialize_entry("row", &self.row)?;
        members.serialize_entry("diff", self.text())?;
        members.serialize_entry("warnings", &self.warnings)?;
        members.serialize_entry("affected", &self.affected)?;
        members.serialize_entry("realised", &self.realised)?;
        members.end()
    }
}

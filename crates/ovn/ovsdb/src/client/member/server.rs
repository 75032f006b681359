//! What a server says of itself: table `Database` of the database `_Server`.
//!
//! Source: ovsdb-server(5).

use super::MemberStatus;
use super::greeting::{Known, request};
use crate::cache::{Cache, Layout, RowRef, TableLayout};
use crate::client::connection::{Connection, Notice, Topic};
use crate::condition::Condition;
use crate::monitor::Request;
use crate::schema::DatabaseSchema;
use crate::session::methods;
use crate::types::{AtomicType, BaseType, ColumnType};
use crate::value::Atom;
use std::sync::Arc;
use tokio::sync::mpsc;

const MONITOR: &str = "_server";
const COLUMNS: [(&str, AtomicType, u32); 8] = [
    ("cid", AtomicType::Uuid, 0),
    ("connected", AtomicType::Boolean, 1),
    ("index", AtomicType::Integer, 0),
    ("leader", AtomicType::Boolean, 1),
    ("model", AtomicType::String, 1),
    ("name", AtomicType::String, 1),
    ("schema", AtomicType::String, 0),
    ("sid", AtomicType::Uuid, 0),
];

pub(super) struct Own {
    pub(super) notices: mpsc::UnboundedReceiver<Notice>,
    cache: Cache,
    parsed: Option<(Atom, Arc<DatabaseSchema>)>,
}

impl Own {
    /// `None` for servers before 2.9, which say nothing of themselves.
    pub(super) async fn watch(connection: &Connection, database: &str) -> Result<Option<Self>, String> {
        let topic = Topic::Monitor(MONITOR.to_owned());
        let notices = connection
            .subscribe(topic)
            .await
            .map_err(|lost| lost.to_string())?;
        let mut wanted = Request::new();
        wanted.columns(
            "Database",
            COLUMNS.iter().map(|(name, ..)| (*name).to_owned()).collect(),
        );
        wanted.conditions("Database", vec![Condition::equal("name", database)]);
        let params = methods::monitor_cond("_Server", MONITOR, &wanted);
        let rows = match request(connection, "monitor_cond", &params).await {
            Ok(rows) => rows,
            Err(trouble) if connection.is_closed() => return Err(trouble),
            Err(_) => return Ok(None),
        };
        let mut own = Self {
            notices,
            cache: Cache::new(Arc::new(Layout::new([table()]))),
            parsed: None,
        };
        own.apply(&rows)?;
        Ok(Some(own))
    }

    pub(super) fn apply(&mut self, rows: &[u8]) -> Result<(), String> {
        let changes = self.cache.apply(rows, None);
        changes
            .map(drop)
            .map_err(|cause| format!("what the server says of itself: {cause}"))
    }

    pub(super) fn status(&mut self, known: &Known) -> Result<MemberStatus, String> {
        let table = self
            .cache
            .database()
            .table("Database")
            .expect("the layout has it");
        let Some(row) = table.rows().next() else {
            return Err("the server does not have the database any more".to_owned());
        };
        let atom = |column| row.get(column).and_then(|datum| datum.one());
        let model = atom("model")
            .and_then(Atom::as_str)
            .unwrap_or_default()
            .to_owned();
        // Where the server is on its own its word on leadership means nothing.
        let alone = model == "standalone";
        let status = MemberStatus {
            leader: alone || truth(&row, "leader"),
            in_cluster: truth(&row, "connected"),
            cid: atom("cid").and_then(Atom::as_uuid),
            sid: atom("sid").and_then(Atom::as_uuid),
            index: atom("index").and_then(Atom::as_integer),
            model,
            ..MemberStatus::default()
        };
        let text = atom("schema").cloned();
        Ok(MemberStatus {
            schema: Some(self.schema(text, known)?),
            ..status
        })
    }

    /// Parsed again only when it is another text.
    fn schema(&mut self, text: Option<Atom>, known: &Known) -> Result<Arc<DatabaseSchema>, String> {
        let Some(text) = text else {
            return Ok(known.schema.clone());
        };
        if let Some((parsed, schema)) = &self.parsed
            && *parsed == text
        {
            return Ok(schema.clone());
        }
        let json = serde_json::from_str(text.as_str().unwrap_or_default());
        let json = json.map_err(|cause| format!("the schema is no JSON: {cause}"))?;
        let schema =
            DatabaseSchema::parse(&json).map_err(|cause| format!("the schema cannot be used: {cause}"))?;
        let schema = Arc::new(schema);
        self.parsed = Some((text, schema.clone()));
        Ok(schema)
    }
}

fn truth(row: &RowRef<'_>, column: &str) -> bool {
    let atom = row.get(column).and_then(|datum| datum.one());
    atom.and_then(Atom::as_bool) == Some(true)
}

fn table() -> TableLayout {
    let column = |(name, kind, min): &(&str, AtomicType, u32)| {
        let kind = ColumnType {
            min: *min,
            ..ColumnType::scalar(BaseType::any(*kind))
        };
        ((*name).to_owned(), kind)
    };
    TableLayout::new("Database", COLUMNS.iter().map(column), [])
}
